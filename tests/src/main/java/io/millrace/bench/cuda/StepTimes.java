package io.millrace.bench.cuda;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import java.util.ArrayList;
import java.util.List;

/** Times of an instance's steps, with nothing around it: from the batch on the host to the tokens on the host. */
final class StepTimes {
    private static final int ROUNDS_BEFORE = 3;

    private final ModelInstance instance;
    private final int vocabSize;
    private final int blockSize;

    StepTimes(ModelInstance instance) {
        this.instance = requireNonNull(instance, "instance");
        vocabSize = instance.modelSpec().vocabSize();
        blockSize = instance.kvLayout().blockSizeTokens();
    }

    /**
     * Steps that decode one token of each of some sequences.
     *
     * @param context positions that each row attends to, its own included
     * @return seconds of each round's mean step
     */
    List<Double> decode(int sequences, int context, int rounds, int stepsOfRound) {
        Batch batch = new Batch(sequences, sequences);
        for (int sequence = 0; sequence < sequences; sequence++) {
            add(batch, sequence, context - 1, 1);
        }
        return time(batch, sequences, rounds, stepsOfRound);
    }

    /** Steps that compute a whole prompt, and its next token. */
    List<Double> prefill(int tokens, int rounds) {
        Batch batch = new Batch(tokens, 1);
        add(batch, 0, 0, tokens);
        return time(batch, 1, rounds, 1);
    }

    private List<Double> time(Batch batch, int rows, int rounds, int stepsOfRound) {
        ForwardResult result = new ForwardResult(rows, rows, vocabSize);
        List<Double> seconds = new ArrayList<>();
        for (int round = -ROUNDS_BEFORE; round < rounds; round++) {
            long startNanos = System.nanoTime();
            for (int step = 0; step < stepsOfRound; step++) {
                instance.execute(batch, result);
            }
            if (round >= 0) {
                seconds.add((System.nanoTime() - startNanos) / 1e9 / stepsOfRound);
            }
        }
        return seconds;
    }

    private void add(Batch batch, int sequence, int firstPosition, int tokens) {
        int blocks = (firstPosition + tokens + blockSize - 1) / blockSize;
        int table = sequence * blocks;
        if ((sequence + 1) * blocks > instance.blockCount()) {
            throw new IllegalStateException(
                    "the device has room for " + instance.blockCount() + " KV blocks, and this needs more");
        }
        if (batch.blockTables.length < table + blocks) {
            batch.blockTables = java.util.Arrays.copyOf(batch.blockTables, 2 * (table + blocks));
        }
        batch.blockTableStart[sequence] = table;
        batch.blockTableStart[sequence + 1] = table + blocks;
        for (int block = 0; block < blocks; block++) {
            batch.blockTables[table + block] = table + block;
        }
        for (int i = 0; i < tokens; i++) {
            int row = batch.tokenCount++;
            int position = firstPosition + i;
            batch.tokenIds[row] = (int) ((row * 7919L + position * 31L) % vocabSize);
            batch.positions[row] = position;
            batch.slotMapping[row] = (table + position / blockSize) * blockSize + position % blockSize;
        }
        batch.queryStart[sequence + 1] = batch.tokenCount;
        batch.contextLengths[sequence] = firstPosition + tokens;
        int logits = batch.logitsCount++;
        batch.logitsRows[logits] = batch.tokenCount - 1;
        batch.sampling[logits] = instance.samples() ? Batch.GREEDY : Batch.HOST;
        batch.sequenceCount++;
    }
}
