package io.millrace.backend.cpu;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.InstanceSpec;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Runs batches of an instance's shapes until their time stops falling. Vector API code runs a thousand times slower until
 * the JVM's second compiler has it, and that compiles what has run often.
 */
final class WarmUp {
    private static final long TIME_MAX_NANOS = 20_000_000_000L;

    /** A shape is warm when this many runs in a row gained nothing. */
    private static final int STEADY_RUNS = 6;

    private static final int RUNS_MAX = 400;
    private static final double GAIN = 0.9;

    private final InstanceSpec instance;
    private final CpuInstance runner;
    private final LongSupplier nanoClock;
    private final Batch batch;
    private final ForwardResult result;

    WarmUp(InstanceSpec instance, CpuInstance runner, LongSupplier nanoClock) {
        this.instance = instance;
        this.runner = runner;
        this.nanoClock = nanoClock;
        this.batch = new Batch(instance.maxBatchTokens(), instance.maxBatchSequences());
        this.result = new ForwardResult(
                instance.maxBatchSequences(), instance.model().spec().vocabSize());
    }

    void run(Consumer<String> progress) {
        long start = nanoClock.getAsLong();
        int tokensMax = Math.min(instance.maxBatchTokens(), positionsMax());
        int sequencesMax = Math.min(instance.maxBatchSequences(), Math.min(8, instance.maxBatchTokens()));
        double prefill = 0;
        double decode = 0;
        double batched = 0;
        // Small batches reach the compiler's thresholds soonest; the long prefill then runs compiled code.
        for (int tokens = Math.min(8, tokensMax); tokens <= Math.min(64, tokensMax); tokens *= 4) {
            prefill = untilSteady(start, 1, tokens, 0) / tokens;
        }
        decode = untilSteady(start, 1, 1, positionsMax() - 1);
        batched = untilSteady(start, sequencesMax, 1, positionsMax() - 1);
        if (tokensMax > 64) {
            int tokens = Math.min(256, tokensMax);
            prefill = untilSteady(start, 1, tokens, 0) / tokens;
        }
        double seconds = (nanoClock.getAsLong() - start) / 1e9;
        progress.accept(String.format(
                "warm after %.1f s: %.2f ms a token in prefill, %.2f ms a decode step, %.2f ms one of %d sequences",
                seconds, prefill / 1e6, decode / 1e6, batched / 1e6, sequencesMax));
    }

    /** The most positions that the instance's blocks hold for each of several sequences, all sharing the same blocks. */
    private int positionsMax() {
        long held = (long) runner.blockCount() * instance.blockSizeTokens();
        return (int) Math.min(Math.min(instance.maxModelTokens(), held), 512);
    }

    /** Runs one shape until it is steady; returns the shortest time in nanoseconds. */
    private double untilSteady(long start, int sequences, int tokens, int firstPosition) {
        double best = Double.MAX_VALUE;
        int steady = 0;
        for (int run = 0; run < RUNS_MAX && steady < STEADY_RUNS; run++) {
            fill(sequences, tokens, firstPosition);
            long before = nanoClock.getAsLong();
            if (before - start > TIME_MAX_NANOS) {
                break;
            }
            runner.execute(batch, result);
            double nanos = nanoClock.getAsLong() - before;
            steady = nanos < best * GAIN ? 0 : steady + 1;
            best = Math.min(best, nanos);
        }
        return best;
    }

    private void fill(int sequences, int tokens, int firstPosition) {
        int vocabSize = instance.model().spec().vocabSize();
        int blocks = (firstPosition + tokens + instance.blockSizeTokens() - 1) / instance.blockSizeTokens();
        batch.clear();
        if (batch.blockTables.length < sequences * blocks) {
            batch.blockTables = new int[sequences * blocks];
        }
        for (int sequence = 0; sequence < sequences; sequence++) {
            batch.queryStart[sequence] = batch.tokenCount;
            batch.blockTableStart[sequence] = sequence * blocks;
            for (int block = 0; block < blocks; block++) {
                batch.blockTables[sequence * blocks + block] = block;
            }
            for (int i = 0; i < tokens; i++) {
                int token = batch.tokenCount++;
                batch.tokenIds[token] = (token * 31 + 7) % vocabSize;
                batch.positions[token] = firstPosition + i;
                batch.slotMapping[token] = firstPosition + i;
            }
            batch.contextLengths[sequence] = firstPosition + tokens;
            batch.logitsRows[sequence] = batch.tokenCount - 1;
        }
        batch.sequenceCount = sequences;
        batch.logitsCount = sequences;
        batch.queryStart[sequences] = batch.tokenCount;
        batch.blockTableStart[sequences] = sequences * blocks;
    }
}
