package io.millrace.backend.cpu.kernel;

import io.millrace.model.ModelSpec.Activation;
import java.util.Arrays;

/** The kernels in plain Java: what every other implementation must equal bit for bit. */
public final class ScalarKernels implements Kernels {
    private static final int TILE_LANES = 64;

    private final int tileLanes;

    /** Makes kernels that prefer tiles of 64 rows. */
    public ScalarKernels() {
        this(TILE_LANES);
    }

    /** Makes kernels that prefer tiles of so many rows. */
    public ScalarKernels(int tileLanes) {
        this.tileLanes = tileLanes;
    }

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public double compiledNanosMax() {
        return 10;
    }

    @Override
    public int tileLanes() {
        return tileLanes;
    }

    @Override
    public void multiplyRow(PackedMatrix matrix, int tile, float[] a, int aStart, float[] c, int cStart) {
        int lanes = matrix.tileLanes();
        Arrays.fill(c, cStart, cStart + lanes, 0f);
        switch (matrix.layout()) {
            case FLOAT ->
                continueRow(
                        matrix.floats(),
                        matrix.columnStart(tile, 0),
                        lanes,
                        matrix.columnCount(),
                        a,
                        aStart,
                        c,
                        cStart);
            case BYTE, NIBBLE -> multiplyQuantRow(matrix, tile, a, aStart, c, cStart);
        }
    }

    private static void multiplyQuantRow(PackedMatrix matrix, int tile, float[] a, int aStart, float[] c, int cStart) {
        int lanes = matrix.tileLanes();
        for (int column = 0; column < matrix.columnCount(); column++) {
            int start = quantStart(matrix, tile, column);
            int shift = quantShift(matrix, column);
            int mask = quantMask(matrix);
            int scale = matrix.scaleStart(tile, column);
            float x = a[aStart + column];
            for (int lane = 0; lane < lanes; lane++) {
                int quant = (matrix.quants()[start + lane] >> shift) & mask;
                c[cStart + lane] = Math.fma(x, weight(matrix, quant, scale + lane), c[cStart + lane]);
            }
        }
    }

    /** Where the bytes are that hold a column's quants. */
    private static int quantStart(PackedMatrix matrix, int tile, int column) {
        if (matrix.layout() == PackedMatrix.Layout.BYTE) {
            return matrix.columnStart(tile, column);
        }
        int inBlock = column % PackedMatrix.NIBBLE_BLOCK;
        int block = column - inBlock;
        return matrix.columnStart(tile, block) + inBlock % matrix.nibbleRun(block) * matrix.tileLanes();
    }

    /** By how much a column's quants are shifted up in their bytes. */
    private static int quantShift(PackedMatrix matrix, int column) {
        if (matrix.layout() == PackedMatrix.Layout.BYTE) {
            return 0;
        }
        int inBlock = column % PackedMatrix.NIBBLE_BLOCK;
        return inBlock < matrix.nibbleRun(column - inBlock) ? 0 : 4;
    }

    private static int quantMask(PackedMatrix matrix) {
        return matrix.layout() == PackedMatrix.Layout.NIBBLE ? 0xF : -1;
    }

    private static float weight(PackedMatrix matrix, int quant, int scale) {
        float[] scales = matrix.scales();
        return matrix.hasMinimum()
                ? Math.fma((float) quant, scales[scale], scales[scale + matrix.tileLanes()])
                : quant * scales[scale];
    }

    @Override
    public void unpack(PackedMatrix matrix, int tile, int from, int count, float[] panel) {
        int lanes = matrix.tileLanes();
        for (int column = from; column < from + count; column++) {
            int start = quantStart(matrix, tile, column);
            int shift = quantShift(matrix, column);
            int mask = quantMask(matrix);
            int scale = matrix.scaleStart(tile, column);
            int to = (column - from) * lanes;
            for (int lane = 0; lane < lanes; lane++) {
                int quant = (matrix.quants()[start + lane] >> shift) & mask;
                panel[to + lane] = weight(matrix, quant, scale + lane);
            }
        }
    }

    @Override
    public void multiplyPanel(
            float[] panel,
            int panelStart,
            int lanes,
            int steps,
            float[] a,
            int aStart,
            int aStride,
            int rows,
            float[] c) {
        for (int row = 0; row < rows; row++) {
            continueRow(panel, panelStart, lanes, steps, a, aStart + row * aStride, c, row * lanes);
        }
    }

    private static void continueRow(
            float[] panel, int panelStart, int lanes, int steps, float[] a, int aStart, float[] c, int cStart) {
        for (int i = 0; i < steps; i++) {
            continueChains(panel, panelStart + i * lanes, a[aStart + i], c, cStart, lanes);
        }
    }

    @Override
    public void accumulate(AttentionOperands operands, int rows, int steps, int width) {
        for (int row = 0; row < rows; row++) {
            int aStart = operands.aStart + row * operands.aStride;
            int cStart = operands.cStart + row * operands.cStride;
            for (int i = 0; i < steps; i++) {
                int bStart = operands.bStart + i * operands.bStride;
                continueChains(operands.b, bStart, operands.a[aStart + i], operands.c, cStart, width);
            }
        }
    }

    private static void continueChains(float[] b, int bStart, float x, float[] c, int cStart, int count) {
        for (int j = 0; j < count; j++) {
            c[cStart + j] = Math.fma(x, b[bStart + j], c[cStart + j]);
        }
    }

    @Override
    public float softmaxWeights(float[] s, int start, int from, int to, float scale, float[] lanes) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = from; i < to; i++) {
            max = s[start + i] > max ? s[start + i] : max;
        }
        int end = padSoftmaxRange(s, start, from, to);
        Arrays.fill(lanes, 0f);
        for (int i = from & -SUM_LANES; i < end; i++) {
            float weight = Exponential.exp((s[start + i] - max) * scale);
            s[start + i] = weight;
            lanes[i % SUM_LANES] += weight;
        }
        return foldLanes(lanes);
    }

    /** Sets what surrounds a range in its groups of lanes to minus infinity; returns the end of its last group. */
    public static int padSoftmaxRange(float[] s, int start, int from, int to) {
        int end = (to + SUM_LANES - 1) & -SUM_LANES;
        Arrays.fill(s, start + (from & -SUM_LANES), start + from, Float.NEGATIVE_INFINITY);
        Arrays.fill(s, start + to, start + end, Float.NEGATIVE_INFINITY);
        return end;
    }

    @Override
    public float sumOfSquares(float[] x, int start, int count, float[] lanes) {
        Arrays.fill(lanes, 0f);
        addSquares(x, start, 0, count, lanes);
        return foldLanes(lanes);
    }

    /** Adds the squares of elements {@code from} to {@code to} to their partial sums. */
    public static void addSquares(float[] x, int start, int from, int to, float[] lanes) {
        for (int i = from; i < to; i++) {
            lanes[i % SUM_LANES] = Math.fma(x[start + i], x[start + i], lanes[i % SUM_LANES]);
        }
    }

    /** Returns the sum of the partial sums: halves onto each other until one is left. */
    public static float foldLanes(float[] lanes) {
        for (int half = SUM_LANES / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                lanes[i] += lanes[i + half];
            }
        }
        return lanes[0];
    }

    @Override
    public void activate(Activation activation, float[] gate, float[] up, int count) {
        switch (activation) {
            case SILU -> {
                for (int i = 0; i < count; i++) {
                    gate[i] = Exponential.silu(gate[i]) * up[i];
                }
            }
            case GELU_TANH -> {
                for (int i = 0; i < count; i++) {
                    gate[i] = Exponential.geluTanh(gate[i]) * up[i];
                }
            }
        }
    }
}
