package io.millrace.backend.cuda;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.model.ModelSpec;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Runs a step of each shape that decoding begins with, so that its graph is captured, its kernels are loaded and the
 * clocks are up; and one of a prompt.
 */
final class WarmUp {
    private static final int PROMPT_MAX = 512;

    private final ModelSpec spec;
    private final Limits limits;
    private final CudaInstance instance;
    private final LongSupplier nanoClock;
    private final Batch batch;
    private final ForwardResult result;

    WarmUp(ModelSpec spec, Limits limits, CudaInstance instance, LongSupplier nanoClock) {
        this.spec = spec;
        this.limits = limits;
        this.instance = instance;
        this.nanoClock = nanoClock;
        this.batch = new Batch(limits.maxBatchTokens(), limits.maxBatchSequences(), limits.maxLogitsRows());
        this.result = new ForwardResult(limits.maxLogitsRows(), spec.vocabSize());
    }

    void run(Consumer<String> progress) {
        long start = nanoClock.getAsLong();
        int positions = (int) Math.min(
                Math.min(limits.maxModelTokens(), PROMPT_MAX), (long) limits.blockCount() * limits.blockSizeTokens());
        int sequencesMax =
                Math.min(Math.min(limits.maxBatchSequences(), limits.maxBatchTokens()), limits.maxLogitsRows());
        double one = 0;
        for (int sequences = 1; ; sequences = Math.min(sequencesMax, Math.max(8, 2 * sequences))) {
            double millis = millis(sequences, 1, positions - 1);
            one = sequences == 1 ? millis : one;
            if (sequences == sequencesMax) {
                break;
            }
        }
        int prompt = Math.min(positions, limits.maxBatchTokens());
        double prefill = millis(1, prompt, 0);
        progress.accept(String.format(
                Locale.ROOT,
                "warm after %.1f s: %.2f ms for one token, %.2f ms for %d tokens of a prompt",
                (nanoClock.getAsLong() - start) / 1e9,
                one,
                prefill,
                prompt));
    }

    /** Runs a shape twice; the second run's time. */
    private double millis(int sequences, int tokens, int firstPosition) {
        fill(sequences, tokens, firstPosition);
        instance.execute(batch, result);
        long before = nanoClock.getAsLong();
        instance.execute(batch, result);
        return (nanoClock.getAsLong() - before) / 1e6;
    }

    private void fill(int sequences, int tokens, int firstPosition) {
        int size = limits.blockSizeTokens();
        int blocks = (firstPosition + tokens + size - 1) / size;
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
                batch.tokenIds[token] = (token * 31 + 7) % spec.vocabSize();
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
