package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.Kernels;

/** Root-mean-square normalisation: x / sqrt(mean(x^2) + epsilon) * weight. */
final class RmsNorm {
    private RmsNorm() {}

    /** Normalises one row of {@code weight.length} elements; {@code out} may be {@code x}. */
    static void apply(
            Kernels kernels, float[] x, int start, float[] weight, float epsilon, float[] out, int to, float[] lanes) {
        int count = weight.length;
        float mean = kernels.sumOfSquares(x, start, count, lanes) / count;
        float scale = (float) (1.0 / Math.sqrt((double) mean + epsilon));
        for (int i = 0; i < count; i++) {
            out[to + i] = x[start + i] * scale * weight[i];
        }
    }
}
