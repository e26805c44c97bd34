package io.millrace.backend.cpu.vector;

import static io.millrace.backend.cpu.vector.Lanes.COUNT;
import static io.millrace.backend.cpu.vector.Lanes.FLOATS;
import static io.millrace.backend.cpu.vector.Lanes.TILE;

import jdk.incubator.vector.FloatVector;

/**
 * Products of a few rows of inputs with a panel of floats, four vectors wide: the accumulators stay in registers, each
 * vector of the panel is used for every row, each input for four vectors.
 */
final class PanelKernels {
    /** Four rows take 16 accumulators: only machines with 32 vector registers have that many to spare. */
    private static final boolean WIDE = FLOATS.vectorBitSize() == 512;

    private PanelKernels() {}

    /** Continues the chains of all rows. */
    static void multiply(float[] b, int bStart, int steps, float[] a, int aStart, int aStride, int rows, float[] c) {
        int row = 0;
        while (WIDE && rows - row >= 4) {
            multiplyFour(b, bStart, steps, a, aStart + row * aStride, aStride, c, row * TILE);
            row += 4;
        }
        while (rows - row >= 2) {
            multiplyTwo(b, bStart, steps, a, aStart + row * aStride, aStride, c, row * TILE);
            row += 2;
        }
        if (row < rows) {
            multiplyOne(b, bStart, steps, a, aStart + row * aStride, c, row * TILE);
        }
    }

    /** Four rows of inputs: 16 accumulators. */
    private static void multiplyFour(
            float[] b, int bStart, int steps, float[] a, int aStart, int aStride, float[] c, int cStart) {
        int a1 = aStart + aStride;
        int a2 = aStart + 2 * aStride;
        int a3 = aStart + 3 * aStride;
        FloatVector c00 = FloatVector.fromArray(FLOATS, c, cStart);
        FloatVector c01 = FloatVector.fromArray(FLOATS, c, cStart + COUNT);
        FloatVector c02 = FloatVector.fromArray(FLOATS, c, cStart + 2 * COUNT);
        FloatVector c03 = FloatVector.fromArray(FLOATS, c, cStart + 3 * COUNT);
        FloatVector c10 = FloatVector.fromArray(FLOATS, c, cStart + 4 * COUNT);
        FloatVector c11 = FloatVector.fromArray(FLOATS, c, cStart + 5 * COUNT);
        FloatVector c12 = FloatVector.fromArray(FLOATS, c, cStart + 6 * COUNT);
        FloatVector c13 = FloatVector.fromArray(FLOATS, c, cStart + 7 * COUNT);
        FloatVector c20 = FloatVector.fromArray(FLOATS, c, cStart + 8 * COUNT);
        FloatVector c21 = FloatVector.fromArray(FLOATS, c, cStart + 9 * COUNT);
        FloatVector c22 = FloatVector.fromArray(FLOATS, c, cStart + 10 * COUNT);
        FloatVector c23 = FloatVector.fromArray(FLOATS, c, cStart + 11 * COUNT);
        FloatVector c30 = FloatVector.fromArray(FLOATS, c, cStart + 12 * COUNT);
        FloatVector c31 = FloatVector.fromArray(FLOATS, c, cStart + 13 * COUNT);
        FloatVector c32 = FloatVector.fromArray(FLOATS, c, cStart + 14 * COUNT);
        FloatVector c33 = FloatVector.fromArray(FLOATS, c, cStart + 15 * COUNT);
        for (int i = 0; i < steps; i++) {
            int at = bStart + i * TILE;
            FloatVector b0 = FloatVector.fromArray(FLOATS, b, at);
            FloatVector b1 = FloatVector.fromArray(FLOATS, b, at + COUNT);
            FloatVector b2 = FloatVector.fromArray(FLOATS, b, at + 2 * COUNT);
            FloatVector b3 = FloatVector.fromArray(FLOATS, b, at + 3 * COUNT);
            FloatVector x = FloatVector.broadcast(FLOATS, a[aStart + i]);
            c00 = b0.fma(x, c00);
            c01 = b1.fma(x, c01);
            c02 = b2.fma(x, c02);
            c03 = b3.fma(x, c03);
            x = FloatVector.broadcast(FLOATS, a[a1 + i]);
            c10 = b0.fma(x, c10);
            c11 = b1.fma(x, c11);
            c12 = b2.fma(x, c12);
            c13 = b3.fma(x, c13);
            x = FloatVector.broadcast(FLOATS, a[a2 + i]);
            c20 = b0.fma(x, c20);
            c21 = b1.fma(x, c21);
            c22 = b2.fma(x, c22);
            c23 = b3.fma(x, c23);
            x = FloatVector.broadcast(FLOATS, a[a3 + i]);
            c30 = b0.fma(x, c30);
            c31 = b1.fma(x, c31);
            c32 = b2.fma(x, c32);
            c33 = b3.fma(x, c33);
        }
        c00.intoArray(c, cStart);
        c01.intoArray(c, cStart + COUNT);
        c02.intoArray(c, cStart + 2 * COUNT);
        c03.intoArray(c, cStart + 3 * COUNT);
        c10.intoArray(c, cStart + 4 * COUNT);
        c11.intoArray(c, cStart + 5 * COUNT);
        c12.intoArray(c, cStart + 6 * COUNT);
        c13.intoArray(c, cStart + 7 * COUNT);
        c20.intoArray(c, cStart + 8 * COUNT);
        c21.intoArray(c, cStart + 9 * COUNT);
        c22.intoArray(c, cStart + 10 * COUNT);
        c23.intoArray(c, cStart + 11 * COUNT);
        c30.intoArray(c, cStart + 12 * COUNT);
        c31.intoArray(c, cStart + 13 * COUNT);
        c32.intoArray(c, cStart + 14 * COUNT);
        c33.intoArray(c, cStart + 15 * COUNT);
    }

    /** Two rows of inputs: 8 accumulators. */
    private static void multiplyTwo(
            float[] b, int bStart, int steps, float[] a, int aStart, int aStride, float[] c, int cStart) {
        int a1 = aStart + aStride;
        FloatVector c00 = FloatVector.fromArray(FLOATS, c, cStart);
        FloatVector c01 = FloatVector.fromArray(FLOATS, c, cStart + COUNT);
        FloatVector c02 = FloatVector.fromArray(FLOATS, c, cStart + 2 * COUNT);
        FloatVector c03 = FloatVector.fromArray(FLOATS, c, cStart + 3 * COUNT);
        FloatVector c10 = FloatVector.fromArray(FLOATS, c, cStart + 4 * COUNT);
        FloatVector c11 = FloatVector.fromArray(FLOATS, c, cStart + 5 * COUNT);
        FloatVector c12 = FloatVector.fromArray(FLOATS, c, cStart + 6 * COUNT);
        FloatVector c13 = FloatVector.fromArray(FLOATS, c, cStart + 7 * COUNT);
        for (int i = 0; i < steps; i++) {
            int at = bStart + i * TILE;
            FloatVector b0 = FloatVector.fromArray(FLOATS, b, at);
            FloatVector b1 = FloatVector.fromArray(FLOATS, b, at + COUNT);
            FloatVector b2 = FloatVector.fromArray(FLOATS, b, at + 2 * COUNT);
            FloatVector b3 = FloatVector.fromArray(FLOATS, b, at + 3 * COUNT);
            FloatVector x = FloatVector.broadcast(FLOATS, a[aStart + i]);
            c00 = b0.fma(x, c00);
            c01 = b1.fma(x, c01);
            c02 = b2.fma(x, c02);
            c03 = b3.fma(x, c03);
            x = FloatVector.broadcast(FLOATS, a[a1 + i]);
            c10 = b0.fma(x, c10);
            c11 = b1.fma(x, c11);
            c12 = b2.fma(x, c12);
            c13 = b3.fma(x, c13);
        }
        c00.intoArray(c, cStart);
        c01.intoArray(c, cStart + COUNT);
        c02.intoArray(c, cStart + 2 * COUNT);
        c03.intoArray(c, cStart + 3 * COUNT);
        c10.intoArray(c, cStart + 4 * COUNT);
        c11.intoArray(c, cStart + 5 * COUNT);
        c12.intoArray(c, cStart + 6 * COUNT);
        c13.intoArray(c, cStart + 7 * COUNT);
    }

    /** One row of inputs: 4 accumulators. */
    static void multiplyOne(float[] b, int bStart, int steps, float[] a, int aStart, float[] c, int cStart) {
        FloatVector c00 = FloatVector.fromArray(FLOATS, c, cStart);
        FloatVector c01 = FloatVector.fromArray(FLOATS, c, cStart + COUNT);
        FloatVector c02 = FloatVector.fromArray(FLOATS, c, cStart + 2 * COUNT);
        FloatVector c03 = FloatVector.fromArray(FLOATS, c, cStart + 3 * COUNT);
        for (int i = 0; i < steps; i++) {
            int at = bStart + i * TILE;
            FloatVector b0 = FloatVector.fromArray(FLOATS, b, at);
            FloatVector b1 = FloatVector.fromArray(FLOATS, b, at + COUNT);
            FloatVector b2 = FloatVector.fromArray(FLOATS, b, at + 2 * COUNT);
            FloatVector b3 = FloatVector.fromArray(FLOATS, b, at + 3 * COUNT);
            FloatVector x = FloatVector.broadcast(FLOATS, a[aStart + i]);
            c00 = b0.fma(x, c00);
            c01 = b1.fma(x, c01);
            c02 = b2.fma(x, c02);
            c03 = b3.fma(x, c03);
        }
        c00.intoArray(c, cStart);
        c01.intoArray(c, cStart + COUNT);
        c02.intoArray(c, cStart + 2 * COUNT);
        c03.intoArray(c, cStart + 3 * COUNT);
    }
}
