package io.millrace.backend.cuda;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Sequences of an instance, run in batches that a test puts together by hand. Blocks are never given back. */
final class TestingSequences {
    /** One sequence: its blocks, and how many tokens it has so far. */
    static final class Sequence {
        final List<Integer> blocks = new ArrayList<>();
        int length;
    }

    private final Limits limits;
    private final ModelInstance instance;
    final Batch batch;
    final ForwardResult result;
    private int nextBlock;

    TestingSequences(Limits limits, ModelInstance instance) {
        this.limits = limits;
        this.instance = instance;
        this.batch = new Batch(limits.maxBatchTokens(), limits.maxBatchSequences(), limits.maxLogitsRows());
        this.result =
                new ForwardResult(limits.maxLogitsRows(), instance.modelSpec().vocabSize());
    }

    Sequence newSequence() {
        return new Sequence();
    }

    /** Empties the batch. */
    TestingSequences begin() {
        batch.clear();
        batch.blockTableStart[0] = 0;
        batch.queryStart[0] = 0;
        return this;
    }

    /** Adds a sequence's next tokens to the batch; returns its row in the result. */
    int add(Sequence sequence, int[] tokens, int from, int to) {
        int size = limits.blockSizeTokens();
        while (sequence.blocks.size() * size < sequence.length + to - from) {
            if (nextBlock == limits.blockCount()) {
                throw new IllegalStateException("the test used more blocks than there are");
            }
            // A stride puts a sequence's blocks apart and out of order.
            sequence.blocks.add((nextBlock++ * 7) % limits.blockCount());
        }
        int table = batch.blockTableStart[batch.sequenceCount];
        if (batch.blockTables.length < table + sequence.blocks.size()) {
            batch.blockTables = Arrays.copyOf(batch.blockTables, 2 * (table + sequence.blocks.size()));
        }
        for (int i = 0; i < sequence.blocks.size(); i++) {
            batch.blockTables[table + i] = sequence.blocks.get(i);
        }
        for (int i = from; i < to; i++) {
            int token = batch.tokenCount++;
            int position = sequence.length++;
            batch.tokenIds[token] = tokens[i];
            batch.positions[token] = position;
            batch.slotMapping[token] = sequence.blocks.get(position / size) * size + position % size;
        }
        int row = batch.logitsCount++;
        batch.logitsRows[row] = batch.tokenCount - 1;
        batch.contextLengths[batch.sequenceCount] = sequence.length;
        batch.sequenceCount++;
        batch.queryStart[batch.sequenceCount] = batch.tokenCount;
        batch.blockTableStart[batch.sequenceCount] = table + sequence.blocks.size();
        return row;
    }

    /** Runs the batch. */
    void run() {
        instance.execute(batch, result);
    }

    /** Runs a prompt in chunks of one size; returns the last token's logits. */
    float[] prefill(Sequence sequence, int[] tokens, int chunk) {
        int row = 0;
        for (int from = 0; from < tokens.length; from += chunk) {
            begin();
            row = add(sequence, tokens, from, Math.min(tokens.length, from + chunk));
            run();
        }
        return result.logits[row].clone();
    }

    /** Runs one token of a sequence alone; returns its logits. */
    float[] decode(Sequence sequence, int token) {
        begin();
        int row = add(sequence, new int[] {token}, 0, 1);
        run();
        return result.logits[row].clone();
    }

    /** Index of the greatest logit. */
    static int argmax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }
}
