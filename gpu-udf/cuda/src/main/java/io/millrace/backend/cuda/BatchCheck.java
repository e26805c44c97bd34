package io.millrace.backend.cuda;

import io.millrace.engine.backend.Batch;
import io.millrace.model.ModelSpec;

/** Checks a batch: a wrong index on a device would be another sequence's memory, or the end of all of them. */
final class BatchCheck {
    private final ModelSpec spec;
    private final Limits limits;

    BatchCheck(ModelSpec spec, Limits limits) {
        this.spec = spec;
        this.limits = limits;
    }

    /** Throws {@link IllegalArgumentException} if anything is out of its range. */
    void check(Batch batch) {
        range("tokenCount", batch.tokenCount, limits.maxBatchTokens() + 1);
        range("sequenceCount", batch.sequenceCount, limits.maxBatchSequences() + 1);
        range("logitsCount", batch.logitsCount, limits.maxLogitsRows() + 1);
        int slots = limits.blockCount() * limits.blockSizeTokens();
        for (int token = 0; token < batch.tokenCount; token++) {
            range("token id", batch.tokenIds[token], spec.vocabSize());
            range("position", batch.positions[token], limits.maxModelTokens());
            range("slot", batch.slotMapping[token], slots);
        }
        int next = 0;
        for (int sequence = 0; sequence < batch.sequenceCount; sequence++) {
            checkSequence(batch, sequence, next);
            next = batch.queryStart[sequence + 1];
        }
        if (next != batch.tokenCount) {
            throw new IllegalArgumentException("sequences end at " + next + " of " + batch.tokenCount + " tokens");
        }
        for (int row = 0; row < batch.logitsCount; row++) {
            range("logits row", batch.logitsRows[row], batch.tokenCount);
        }
    }

    private void checkSequence(Batch batch, int sequence, int start) {
        int end = batch.queryStart[sequence + 1];
        if (batch.queryStart[sequence] != start || end < start || end > batch.tokenCount) {
            throw new IllegalArgumentException("sequence " + sequence + " has no rows from " + start + " on");
        }
        int context = batch.contextLengths[sequence];
        range("context length", context, limits.maxModelTokens() + 1);
        if (end > start && batch.positions[end - 1] != context - 1) {
            throw new IllegalArgumentException(
                    "a context of " + context + " ends at position " + batch.positions[end - 1]);
        }
        int size = limits.blockSizeTokens();
        int table = batch.blockTableStart[sequence];
        int blocks = (context + size - 1) / size;
        range("block table", table + blocks, limits.blockTableEntries() + 1);
        for (int block = 0; block < blocks; block++) {
            range("block", batch.blockTables[table + block], limits.blockCount());
        }
    }

    static void range(String what, int value, int end) {
        if (value < 0 || value >= end) {
            throw new IllegalArgumentException(what + " " + value + " is not below " + end);
        }
    }
}
