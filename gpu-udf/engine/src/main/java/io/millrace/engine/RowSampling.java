package io.millrace.engine;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.PlainSampler;
import io.millrace.engine.backend.SamplingNoise;

/**
 * Says how a row of a batch is sampled: by the device, where it can do exactly what {@link Sampler} would; by the host
 * otherwise.
 */
final class RowSampling {
    private RowSampling() {}

    /**
     * Fills in a row.
     *
     * @param row its index among those that logits are wanted of
     * @param offset where in the output its token will be
     * @param onDevice whether the instance samples at all
     */
    static void fill(Batch batch, int row, Sequence sequence, int offset, boolean onDevice) {
        SamplingParameters sampling = sequence.request().sampling();
        if (!onDevice || !isPlain(sequence, offset)) {
            batch.sampling[row] = Batch.HOST;
        } else if (sampling.temperature() == 0) {
            batch.sampling[row] = Batch.GREEDY;
        } else if (sampling.topK() == 0 && sampling.topP() >= 1) {
            batch.sampling[row] = Batch.NOISE;
            batch.scales[row] = Sampler.scale(sampling);
            batch.minLogitOffsets[row] = PlainSampler.minLogitOffset(sampling.temperature(), sampling.minP());
            batch.noiseKeys[row] = SamplingNoise.key(sampling.seed(), offset);
        } else {
            batch.sampling[row] = Batch.HOST;
        }
    }

    /** Whether the logits are chosen from as the model gave them, and all of them. */
    private static boolean isPlain(Sequence sequence, int offset) {
        SamplingParameters sampling = sequence.request().sampling();
        return sequence.constraint == null
                && sequence.counts() == null
                && sampling.logitBias().isEmpty()
                && (offset >= sampling.minTokens() || sequence.endTokens.length == 0);
    }
}
