package io.millrace.backend.cuda;

import io.millrace.engine.backend.InstanceSpec;

/**
 * What an instance has room for.
 *
 * @param blockCount KV blocks; 0 as long as it is not known
 * @param blockSizeTokens tokens of a block, a multiple of 32
 * @param maxBatchTokens tokens of a batch
 * @param maxBatchSequences sequences of a batch
 * @param maxLogitsRows rows of a batch whose logits are wanted
 * @param maxModelTokens tokens of a sequence
 */
public record Limits(
        int blockCount,
        int blockSizeTokens,
        int maxBatchTokens,
        int maxBatchSequences,
        int maxLogitsRows,
        int maxModelTokens) {
    static Limits of(InstanceSpec spec) {
        return new Limits(
                spec.pool().blockCount(),
                spec.blockSizeTokens(),
                spec.maxBatchTokens(),
                spec.maxBatchSequences(),
                Math.min(spec.maxLogitsRows(), spec.maxBatchTokens()),
                spec.maxModelTokens());
    }

    /** The same with so many KV blocks. */
    Limits withBlockCount(int count) {
        return new Limits(count, blockSizeTokens, maxBatchTokens, maxBatchSequences, maxLogitsRows, maxModelTokens);
    }

    /** Entries of all block tables of a batch. */
    int blockTableEntries() {
        int blocks = (maxModelTokens + blockSizeTokens - 1) / blockSizeTokens;
        return Math.multiplyExact(blocks, maxBatchSequences);
    }
}
