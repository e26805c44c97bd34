package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.InstanceSpec;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Brings an instance to its usual speed: first the kernels one by one, then batches of the instance's shapes until
 * their time stops falling. Bounded in time, whatever the JVM does.
 */
final class WarmUp {
    private static final long TIME_MAX_NANOS = 20_000_000_000L;

    /** A shape is warm when this many runs in a row gained nothing. */
    private static final int STEADY_RUNS = 5;

    private static final int RUNS_MAX = 200;
    private static final double GAIN = 0.9;
    private static final int POSITIONS_MAX = 256;
    private static final int PREFILL_MAX = 128;
    private static final int SEQUENCES_MAX = 8;

    private final InstanceSpec instance;
    private final CpuInstance runner;
    private final KernelWarmUp kernelWarmUp;
    private final LongSupplier nanoClock;
    private final Batch batch;
    private final ForwardResult result;

    WarmUp(InstanceSpec instance, CpuInstance runner, DecoderWeights weights, Kernels kernels, LongSupplier nanoClock) {
        this.instance = requireNonNull(instance, "instance");
        this.runner = requireNonNull(runner, "runner");
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
        this.kernelWarmUp =
                new KernelWarmUp(kernels, runner.modelSpec(), runner.kvLayout(), weights.matrixKinds(), nanoClock);
        this.batch = new Batch(instance.maxBatchTokens(), instance.maxBatchSequences());
        this.result = new ForwardResult(
                instance.maxBatchSequences(), runner.modelSpec().vocabSize());
    }

    void run(Consumer<String> progress) {
        long start = nanoClock.getAsLong();
        long deadline = start + TIME_MAX_NANOS;
        progress.accept("compiling the cpu kernels");
        int slow = kernelWarmUp.run(deadline);
        if (slow > 0) {
            progress.accept(slow + " cpu kernels are not compiled after " + TIME_MAX_NANOS / 1_000_000_000L
                    + " s; the first requests will be slow");
        }
        int positions = positionsMax();
        int tokens = Math.min(Math.min(PREFILL_MAX, instance.maxBatchTokens()), positions);
        int sequences = Math.min(SEQUENCES_MAX, Math.min(instance.maxBatchSequences(), instance.maxBatchTokens()));
        double decode = untilSteady(deadline, 1, 1, positions - 1);
        double batched = untilSteady(deadline, sequences, 1, positions - 1);
        double prefill = untilSteady(deadline, 1, tokens, 0);
        progress.accept(String.format(
                Locale.ROOT,
                "warm after %.1f s: %s for one token, %s for %d sequences, %s for %d tokens of a prompt",
                (nanoClock.getAsLong() - start) / 1e9,
                millis(decode),
                millis(batched),
                sequences,
                millis(prefill),
                tokens));
    }

    private static String millis(double nanos) {
        return nanos == Double.MAX_VALUE ? "no time left" : String.format(Locale.ROOT, "%.2f ms", nanos / 1e6);
    }

    /** Positions that the instance's blocks hold; the sequences of a batch all write to the same ones. */
    private int positionsMax() {
        long held = (long) runner.blockCount() * instance.blockSizeTokens();
        return (int) Math.min(Math.min(instance.maxModelTokens(), held), POSITIONS_MAX);
    }

    /** Runs one shape until it is steady; returns the shortest time in nanoseconds. */
    private double untilSteady(long deadline, int sequences, int tokens, int firstPosition) {
        double best = Double.MAX_VALUE;
        int steady = 0;
        fill(sequences, tokens, firstPosition);
        for (int run = 0; run < RUNS_MAX && steady < STEADY_RUNS; run++) {
            long before = nanoClock.getAsLong();
            if (before - deadline > 0) {
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
        int vocabSize = runner.modelSpec().vocabSize();
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
