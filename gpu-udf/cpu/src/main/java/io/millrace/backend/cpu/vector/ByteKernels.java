package io.millrace.backend.cpu.vector;

import static io.millrace.backend.cpu.vector.Lanes.BYTES;
import static io.millrace.backend.cpu.vector.Lanes.COUNT;
import static io.millrace.backend.cpu.vector.Lanes.FLOATS;
import static io.millrace.backend.cpu.vector.Lanes.TILE;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Kernels on signed byte weights with a scale, and for some a minimum, for each group of columns. */
final class ByteKernels {
    private ByteKernels() {}

    /** Continues a tile's chains with one group of columns; the weights have scales only. */
    static void multiplyGroup(
            byte[] w, int quant, float[] s, int scale, int columns, float[] a, int aStart, float[] c, int cStart) {
        FloatVector c0 = FloatVector.fromArray(FLOATS, c, cStart);
        FloatVector c1 = FloatVector.fromArray(FLOATS, c, cStart + COUNT);
        FloatVector c2 = FloatVector.fromArray(FLOATS, c, cStart + 2 * COUNT);
        FloatVector c3 = FloatVector.fromArray(FLOATS, c, cStart + 3 * COUNT);
        FloatVector d0 = FloatVector.fromArray(FLOATS, s, scale);
        FloatVector d1 = FloatVector.fromArray(FLOATS, s, scale + COUNT);
        FloatVector d2 = FloatVector.fromArray(FLOATS, s, scale + 2 * COUNT);
        FloatVector d3 = FloatVector.fromArray(FLOATS, s, scale + 3 * COUNT);
        for (int column = 0; column < columns; column += 2) {
            int at = quant + column * TILE;
            FloatVector x = FloatVector.broadcast(FLOATS, a[aStart + column]);
            c0 = toFloats(w, at).mul(d0).fma(x, c0);
            c1 = toFloats(w, at + COUNT).mul(d1).fma(x, c1);
            c2 = toFloats(w, at + 2 * COUNT).mul(d2).fma(x, c2);
            c3 = toFloats(w, at + 3 * COUNT).mul(d3).fma(x, c3);
            x = FloatVector.broadcast(FLOATS, a[aStart + column + 1]);
            c0 = toFloats(w, at + 4 * COUNT).mul(d0).fma(x, c0);
            c1 = toFloats(w, at + 5 * COUNT).mul(d1).fma(x, c1);
            c2 = toFloats(w, at + 6 * COUNT).mul(d2).fma(x, c2);
            c3 = toFloats(w, at + 7 * COUNT).mul(d3).fma(x, c3);
        }
        c0.intoArray(c, cStart);
        c1.intoArray(c, cStart + COUNT);
        c2.intoArray(c, cStart + 2 * COUNT);
        c3.intoArray(c, cStart + 3 * COUNT);
    }

    /** Continues a tile's chains with one group of columns; the weights have scales and minimums. */
    static void multiplyGroupWithMinimum(
            byte[] w, int quant, float[] s, int scale, int columns, float[] a, int aStart, float[] c, int cStart) {
        FloatVector c0 = FloatVector.fromArray(FLOATS, c, cStart);
        FloatVector c1 = FloatVector.fromArray(FLOATS, c, cStart + COUNT);
        FloatVector c2 = FloatVector.fromArray(FLOATS, c, cStart + 2 * COUNT);
        FloatVector c3 = FloatVector.fromArray(FLOATS, c, cStart + 3 * COUNT);
        FloatVector d0 = FloatVector.fromArray(FLOATS, s, scale);
        FloatVector d1 = FloatVector.fromArray(FLOATS, s, scale + COUNT);
        FloatVector d2 = FloatVector.fromArray(FLOATS, s, scale + 2 * COUNT);
        FloatVector d3 = FloatVector.fromArray(FLOATS, s, scale + 3 * COUNT);
        FloatVector m0 = FloatVector.fromArray(FLOATS, s, scale + 4 * COUNT);
        FloatVector m1 = FloatVector.fromArray(FLOATS, s, scale + 5 * COUNT);
        FloatVector m2 = FloatVector.fromArray(FLOATS, s, scale + 6 * COUNT);
        FloatVector m3 = FloatVector.fromArray(FLOATS, s, scale + 7 * COUNT);
        for (int column = 0; column < columns; column++) {
            int at = quant + column * TILE;
            FloatVector x = FloatVector.broadcast(FLOATS, a[aStart + column]);
            c0 = toFloats(w, at).fma(d0, m0).fma(x, c0);
            c1 = toFloats(w, at + COUNT).fma(d1, m1).fma(x, c1);
            c2 = toFloats(w, at + 2 * COUNT).fma(d2, m2).fma(x, c2);
            c3 = toFloats(w, at + 3 * COUNT).fma(d3, m3).fma(x, c3);
        }
        c0.intoArray(c, cStart);
        c1.intoArray(c, cStart + COUNT);
        c2.intoArray(c, cStart + 2 * COUNT);
        c3.intoArray(c, cStart + 3 * COUNT);
    }

    /** Unpacks one group of columns of a tile to floats; the weights have scales only. */
    static void unpackGroup(byte[] w, int quant, float[] s, int scale, int columns, float[] panel, int to) {
        FloatVector d0 = FloatVector.fromArray(FLOATS, s, scale);
        FloatVector d1 = FloatVector.fromArray(FLOATS, s, scale + COUNT);
        FloatVector d2 = FloatVector.fromArray(FLOATS, s, scale + 2 * COUNT);
        FloatVector d3 = FloatVector.fromArray(FLOATS, s, scale + 3 * COUNT);
        for (int column = 0; column < columns; column += 2) {
            int at = quant + column * TILE;
            int out = to + column * TILE;
            toFloats(w, at).mul(d0).intoArray(panel, out);
            toFloats(w, at + COUNT).mul(d1).intoArray(panel, out + COUNT);
            toFloats(w, at + 2 * COUNT).mul(d2).intoArray(panel, out + 2 * COUNT);
            toFloats(w, at + 3 * COUNT).mul(d3).intoArray(panel, out + 3 * COUNT);
            toFloats(w, at + 4 * COUNT).mul(d0).intoArray(panel, out + 4 * COUNT);
            toFloats(w, at + 5 * COUNT).mul(d1).intoArray(panel, out + 5 * COUNT);
            toFloats(w, at + 6 * COUNT).mul(d2).intoArray(panel, out + 6 * COUNT);
            toFloats(w, at + 7 * COUNT).mul(d3).intoArray(panel, out + 7 * COUNT);
        }
    }

    /** Unpacks one group of columns of a tile to floats; the weights have scales and minimums. */
    static void unpackGroupWithMinimum(byte[] w, int quant, float[] s, int scale, int columns, float[] panel, int to) {
        FloatVector d0 = FloatVector.fromArray(FLOATS, s, scale);
        FloatVector d1 = FloatVector.fromArray(FLOATS, s, scale + COUNT);
        FloatVector d2 = FloatVector.fromArray(FLOATS, s, scale + 2 * COUNT);
        FloatVector d3 = FloatVector.fromArray(FLOATS, s, scale + 3 * COUNT);
        FloatVector m0 = FloatVector.fromArray(FLOATS, s, scale + 4 * COUNT);
        FloatVector m1 = FloatVector.fromArray(FLOATS, s, scale + 5 * COUNT);
        FloatVector m2 = FloatVector.fromArray(FLOATS, s, scale + 6 * COUNT);
        FloatVector m3 = FloatVector.fromArray(FLOATS, s, scale + 7 * COUNT);
        for (int column = 0; column < columns; column += 2) {
            int at = quant + column * TILE;
            int out = to + column * TILE;
            toFloats(w, at).fma(d0, m0).intoArray(panel, out);
            toFloats(w, at + COUNT).fma(d1, m1).intoArray(panel, out + COUNT);
            toFloats(w, at + 2 * COUNT).fma(d2, m2).intoArray(panel, out + 2 * COUNT);
            toFloats(w, at + 3 * COUNT).fma(d3, m3).intoArray(panel, out + 3 * COUNT);
            toFloats(w, at + 4 * COUNT).fma(d0, m0).intoArray(panel, out + 4 * COUNT);
            toFloats(w, at + 5 * COUNT).fma(d1, m1).intoArray(panel, out + 5 * COUNT);
            toFloats(w, at + 6 * COUNT).fma(d2, m2).intoArray(panel, out + 6 * COUNT);
            toFloats(w, at + 7 * COUNT).fma(d3, m3).intoArray(panel, out + 7 * COUNT);
        }
    }

    private static FloatVector toFloats(byte[] w, int at) {
        return (FloatVector) ByteVector.fromArray(BYTES, w, at).convertShape(VectorOperators.B2F, FLOATS, 0);
    }
}
