package io.millrace.backend.cpu.vector;

import static io.millrace.backend.cpu.vector.Lanes.BYTES;
import static io.millrace.backend.cpu.vector.Lanes.COUNT;
import static io.millrace.backend.cpu.vector.Lanes.FLOATS;
import static io.millrace.backend.cpu.vector.Lanes.INTS;
import static io.millrace.backend.cpu.vector.Lanes.TILE;

import io.millrace.backend.cpu.kernel.PackedMatrix;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Kernels on four-bit weights with scales and minimums.
 *
 * <p>A block's bytes are read twice, for the columns in their low and for those in their high bits. The high bits stay
 * where they are, as sixteen times the quant, and the scale is divided by sixteen instead: both are exact.
 */
final class NibbleKernels {
    private static final int BLOCK = PackedMatrix.NIBBLE_BLOCK;
    private static final int GROUP = 32;
    private static final int LOW_MASK = 0x0F;
    private static final int HIGH_MASK = 0xF0;
    private static final float HIGH_FACTOR = 0x1p-4f;

    private NibbleKernels() {}

    /** Continues a tile's chains with all its columns. */
    static void multiplyRow(
            byte[] w, int quant, float[] s, int scale, float[] a, int aStart, int columns, float[] c, int cStart) {
        int column = 0;
        while (column < columns) {
            int block = column / BLOCK * BLOCK;
            int run = Math.min(BLOCK, columns - block) / 2;
            boolean low = column < block + run;
            multiplyHalf(
                    w,
                    quant + block / 2 * TILE,
                    low ? LOW_MASK : HIGH_MASK,
                    s,
                    scale + column / GROUP * 2 * TILE,
                    low ? 1f : HIGH_FACTOR,
                    a,
                    aStart + column,
                    run,
                    c,
                    cStart);
            column += run;
        }
    }

    private static void multiplyHalf(
            byte[] w,
            int quant,
            int mask,
            float[] s,
            int scale,
            float factor,
            float[] a,
            int aStart,
            int count,
            float[] c,
            int cStart) {
        FloatVector c0 = FloatVector.fromArray(FLOATS, c, cStart);
        FloatVector c1 = FloatVector.fromArray(FLOATS, c, cStart + COUNT);
        FloatVector c2 = FloatVector.fromArray(FLOATS, c, cStart + 2 * COUNT);
        FloatVector c3 = FloatVector.fromArray(FLOATS, c, cStart + 3 * COUNT);
        FloatVector x = FloatVector.broadcast(FLOATS, factor);
        FloatVector d0 = FloatVector.fromArray(FLOATS, s, scale).mul(x);
        FloatVector d1 = FloatVector.fromArray(FLOATS, s, scale + COUNT).mul(x);
        FloatVector d2 = FloatVector.fromArray(FLOATS, s, scale + 2 * COUNT).mul(x);
        FloatVector d3 = FloatVector.fromArray(FLOATS, s, scale + 3 * COUNT).mul(x);
        FloatVector m0 = FloatVector.fromArray(FLOATS, s, scale + 4 * COUNT);
        FloatVector m1 = FloatVector.fromArray(FLOATS, s, scale + 5 * COUNT);
        FloatVector m2 = FloatVector.fromArray(FLOATS, s, scale + 6 * COUNT);
        FloatVector m3 = FloatVector.fromArray(FLOATS, s, scale + 7 * COUNT);
        IntVector bits = IntVector.broadcast(INTS, mask);
        for (int i = 0; i < count; i++) {
            int at = quant + i * TILE;
            x = FloatVector.broadcast(FLOATS, a[aStart + i]);
            c0 = toFloats(w, at, bits).fma(d0, m0).fma(x, c0);
            c1 = toFloats(w, at + COUNT, bits).fma(d1, m1).fma(x, c1);
            c2 = toFloats(w, at + 2 * COUNT, bits).fma(d2, m2).fma(x, c2);
            c3 = toFloats(w, at + 3 * COUNT, bits).fma(d3, m3).fma(x, c3);
        }
        c0.intoArray(c, cStart);
        c1.intoArray(c, cStart + COUNT);
        c2.intoArray(c, cStart + 2 * COUNT);
        c3.intoArray(c, cStart + 3 * COUNT);
    }

    /** Unpacks columns of a tile, whole groups of them, to floats. */
    static void unpack(byte[] w, int quant, float[] s, int scale, int columns, float[] panel) {
        int column = 0;
        while (column < columns) {
            int block = column / BLOCK * BLOCK;
            int run = Math.min(BLOCK, columns - block) / 2;
            boolean low = column < block + run;
            unpackHalf(
                    w,
                    quant + block / 2 * TILE,
                    low ? LOW_MASK : HIGH_MASK,
                    s,
                    scale + column / GROUP * 2 * TILE,
                    low ? 1f : HIGH_FACTOR,
                    run,
                    panel,
                    column * TILE);
            column += run;
        }
    }

    private static void unpackHalf(
            byte[] w, int quant, int mask, float[] s, int scale, float factor, int count, float[] panel, int to) {
        FloatVector d0 = FloatVector.fromArray(FLOATS, s, scale).mul(factor);
        FloatVector d1 = FloatVector.fromArray(FLOATS, s, scale + COUNT).mul(factor);
        FloatVector d2 = FloatVector.fromArray(FLOATS, s, scale + 2 * COUNT).mul(factor);
        FloatVector d3 = FloatVector.fromArray(FLOATS, s, scale + 3 * COUNT).mul(factor);
        FloatVector m0 = FloatVector.fromArray(FLOATS, s, scale + 4 * COUNT);
        FloatVector m1 = FloatVector.fromArray(FLOATS, s, scale + 5 * COUNT);
        FloatVector m2 = FloatVector.fromArray(FLOATS, s, scale + 6 * COUNT);
        FloatVector m3 = FloatVector.fromArray(FLOATS, s, scale + 7 * COUNT);
        IntVector bits = IntVector.broadcast(INTS, mask);
        for (int i = 0; i < count; i++) {
            int at = quant + i * TILE;
            int out = to + i * TILE;
            toFloats(w, at, bits).fma(d0, m0).intoArray(panel, out);
            toFloats(w, at + COUNT, bits).fma(d1, m1).intoArray(panel, out + COUNT);
            toFloats(w, at + 2 * COUNT, bits).fma(d2, m2).intoArray(panel, out + 2 * COUNT);
            toFloats(w, at + 3 * COUNT, bits).fma(d3, m3).intoArray(panel, out + 3 * COUNT);
        }
    }

    private static FloatVector toFloats(byte[] w, int at, IntVector bits) {
        IntVector wide = (IntVector) ByteVector.fromArray(BYTES, w, at).convertShape(VectorOperators.B2I, INTS, 0);
        return (FloatVector) wide.and(bits).convert(VectorOperators.I2F, 0);
    }
}
