package io.millrace.backend.cpu.vector;

import io.millrace.backend.cpu.kernel.AttentionOperands;
import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.backend.cpu.kernel.PackedMatrix;
import io.millrace.backend.cpu.kernel.ScalarKernels;
import io.millrace.model.ModelSpec.Activation;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The kernels on the Vector API. Loaded by name, so that nothing needs the module where it is absent. */
public final class VectorKernels implements Kernels {
    private final ScalarKernels scalar = new ScalarKernels(Lanes.TILE);

    private VectorKernels() {}

    /** Returns the kernels, or null where the machine's vectors are shorter than they are made for. */
    public static @Nullable Kernels createIfSupported() {
        return Lanes.areSupported() ? new VectorKernels() : null;
    }

    @Override
    public String name() {
        return "vector, " + Lanes.FLOATS.vectorBitSize() + " bits";
    }

    @Override
    public double compiledNanosMax() {
        // Measured: 0.02 to 0.1 when compiled; 4 and more otherwise.
        return 1;
    }

    @Override
    public int tileLanes() {
        return Lanes.TILE;
    }

    @Override
    public void multiplyRow(PackedMatrix matrix, int tile, float[] a, int aStart, float[] c, int cStart) {
        if (matrix.tileLanes() != Lanes.TILE) {
            scalar.multiplyRow(matrix, tile, a, aStart, c, cStart);
            return;
        }
        Arrays.fill(c, cStart, cStart + Lanes.TILE, 0f);
        int start = matrix.columnStart(tile, 0);
        int columns = matrix.columnCount();
        switch (matrix.layout()) {
            case FLOAT -> PanelKernels.multiplyOne(matrix.floats(), start, columns, a, aStart, c, cStart);
            case BYTE -> multiplyByteRow(matrix, tile, a, aStart, c, cStart);
            case NIBBLE ->
                NibbleKernels.multiplyRow(
                        matrix.quants(),
                        start,
                        matrix.scales(),
                        matrix.scaleStart(tile, 0),
                        a,
                        aStart,
                        columns,
                        c,
                        cStart);
        }
    }

    private static void multiplyByteRow(PackedMatrix matrix, int tile, float[] a, int aStart, float[] c, int cStart) {
        byte[] quants = matrix.quants();
        float[] scales = matrix.scales();
        int columns = matrix.columnCount();
        int group = matrix.groupColumns();
        int quant = matrix.columnStart(tile, 0);
        int scale = matrix.scaleStart(tile, 0);
        boolean minimum = matrix.hasMinimum();
        for (int column = 0; column < columns; column += group) {
            if (minimum) {
                ByteKernels.multiplyGroupWithMinimum(
                        quants, quant, scales, scale, group, a, aStart + column, c, cStart);
            } else {
                ByteKernels.multiplyGroup(quants, quant, scales, scale, group, a, aStart + column, c, cStart);
            }
            quant += group * Lanes.TILE;
            scale += matrix.groupStride();
        }
    }

    @Override
    public void unpack(PackedMatrix matrix, int tile, int from, int count, float[] panel) {
        int quant = matrix.columnStart(tile, from);
        int scale = matrix.scaleStart(tile, from);
        if (matrix.tileLanes() != Lanes.TILE) {
            scalar.unpack(matrix, tile, from, count, panel);
        } else if (matrix.layout() == PackedMatrix.Layout.NIBBLE) {
            NibbleKernels.unpack(matrix.quants(), quant, matrix.scales(), scale, count, panel);
        } else {
            unpackBytes(matrix, quant, scale, count, panel);
        }
    }

    private static void unpackBytes(PackedMatrix matrix, int quantStart, int scaleStart, int count, float[] panel) {
        int group = matrix.groupColumns();
        int quant = quantStart;
        int scale = scaleStart;
        for (int column = 0; column < count; column += group) {
            int to = column * Lanes.TILE;
            if (matrix.hasMinimum()) {
                ByteKernels.unpackGroupWithMinimum(matrix.quants(), quant, matrix.scales(), scale, group, panel, to);
            } else {
                ByteKernels.unpackGroup(matrix.quants(), quant, matrix.scales(), scale, group, panel, to);
            }
            quant += group * Lanes.TILE;
            scale += matrix.groupStride();
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
        if (lanes == Lanes.TILE) {
            PanelKernels.multiply(panel, panelStart, steps, a, aStart, aStride, rows, c);
        } else {
            scalar.multiplyPanel(panel, panelStart, lanes, steps, a, aStart, aStride, rows, c);
        }
    }

    @Override
    public void accumulate(AttentionOperands operands, int rows, int steps, int width) {
        if (width % AttentionKernels.WIDTH == 0) {
            AttentionKernels.accumulate(operands, rows, steps, width);
        } else {
            scalar.accumulate(operands, rows, steps, width);
        }
    }

    @Override
    public float softmaxWeights(float[] s, int start, int from, int to, float scale, float[] lanes) {
        return RowKernels.softmaxWeights(s, start, from, to, scale, lanes);
    }

    @Override
    public float sumOfSquares(float[] x, int start, int count, float[] lanes) {
        return RowKernels.sumOfSquares(x, start, count, lanes);
    }

    @Override
    public void activate(Activation activation, float[] gate, float[] up, int count) {
        switch (activation) {
            case SILU -> RowKernels.silu(gate, up, count);
            case GELU_TANH -> RowKernels.geluTanh(gate, up, count);
        }
    }
}
