package io.millrace.backend.cpu.kernel;

import io.millrace.model.ModelSpec.Activation;

/**
 * The arithmetic of a forward pass, on plain arrays. Every implementation gives the same bits: each output element is
 * one sequential chain of fused multiply-adds from zero, in the order of its inputs' indices, and each sum over a row
 * is taken in {@link #SUM_LANES} interleaved partial sums that are folded in a fixed order. Neither depends on how
 * many rows are computed together, or on the width of a vector.
 */
public interface Kernels {
    /** Partial sums of a sum over a row: element i belongs to partial sum {@code i % SUM_LANES}. */
    int SUM_LANES = 16;

    /** What a log line calls these kernels. */
    String name();

    /**
     * Nanoseconds that a multiply-add takes at most once the JVM has compiled a kernel, on a slow and busy machine;
     * code that is not compiled yet takes longer.
     */
    double compiledNanosMax();

    /** Rows of a tile of the matrices that these kernels multiply fastest. */
    int tileLanes();

    /**
     * Multiplies one row of inputs with a tile: {@code c[cStart + lane]} is set to the chain over the tile's columns
     * from {@code a[aStart]}.
     */
    void multiplyRow(PackedMatrix matrix, int tile, float[] a, int aStart, float[] c, int cStart);

    /**
     * Unpacks columns {@code from} to {@code from + count} of a tile to {@code panel[column][lane]}; {@code from}
     * is a multiple of 64, and so is {@code count} unless it reaches the last column. Not for {@code FLOAT} matrices,
     * which are panels already.
     */
    void unpack(PackedMatrix matrix, int tile, int from, int count, float[] panel);

    /**
     * Multiplies rows of inputs with a panel, adding to what {@code c} holds: continues each chain {@code
     * c[row][lane]} with {@code a[aStart + row * aStride + i] * panel[panelStart + i * lanes + lane]} for i from 0 to
     * {@code steps}.
     */
    void multiplyPanel(
            float[] panel,
            int panelStart,
            int lanes,
            int steps,
            float[] a,
            int aStart,
            int aStride,
            int rows,
            float[] c);

    /**
     * Continues the chains {@code c[cStart + row * cStride + j]}, j from 0 to {@code width}, with {@code a[aStart + row
     * * aStride + i] * b[bStart + i * bStride + j]} for i from 0 to {@code steps}: query-key products and sums of
     * values.
     */
    void accumulate(AttentionOperands operands, int rows, int steps, int width);

    /**
     * Turns attention scores into weights: {@code s[start + i]} for i from {@code from} to {@code to} becomes {@code
     * exp((s - max) * scale)}, and the rest of each group of {@link #SUM_LANES} that the range touches becomes zero.
     *
     * @param lanes scratch of {@code SUM_LANES}
     * @return the sum of the weights
     */
    float softmaxWeights(float[] s, int start, int from, int to, float scale, float[] lanes);

    /** Returns the sum of squares of {@code x[start]} and the {@code count} elements from there. */
    float sumOfSquares(float[] x, int start, int count, float[] lanes);

    /**
     * Sets {@code gate[i] = activation(gate[i]) * up[i]} for i from 0 to {@code count}, a multiple of the tile's
     * lanes.
     */
    void activate(Activation activation, float[] gate, float[] up, int count);
}
