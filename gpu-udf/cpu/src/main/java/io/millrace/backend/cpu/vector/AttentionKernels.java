package io.millrace.backend.cpu.vector;

import static io.millrace.backend.cpu.vector.Lanes.COUNT;
import static io.millrace.backend.cpu.vector.Lanes.FLOATS;

import io.millrace.backend.cpu.kernel.AttentionOperands;
import jdk.incubator.vector.FloatVector;

/** Kernels of attention: one to four query heads that share a key/value head, against vectors of two at a time. */
final class AttentionKernels {
    /** Elements that one call of a kernel computes for each row. */
    static final int WIDTH = 2 * COUNT;

    private AttentionKernels() {}

    /** Continues the chains of all rows; {@code width} is a multiple of {@link #WIDTH}. */
    static void accumulate(AttentionOperands operands, int rows, int steps, int width) {
        int row = 0;
        while (row < rows) {
            int count = Math.min(4, rows - row);
            for (int j = 0; j < width; j += WIDTH) {
                accumulate(operands, row, count, steps, j);
            }
            row += count;
        }
    }

    private static void accumulate(AttentionOperands o, int row, int count, int steps, int j) {
        int b = o.bStart + j;
        int a = o.aStart + row * o.aStride;
        int c = o.cStart + row * o.cStride + j;
        switch (count) {
            case 4 -> accumulateFour(o.b, b, o.bStride, steps, o.a, a, o.aStride, o.c, c, o.cStride);
            case 3 -> accumulateThree(o.b, b, o.bStride, steps, o.a, a, o.aStride, o.c, c, o.cStride);
            case 2 -> accumulateTwo(o.b, b, o.bStride, steps, o.a, a, o.aStride, o.c, c, o.cStride);
            default -> accumulateOne(o.b, b, o.bStride, steps, o.a, a, o.c, c);
        }
    }

    private static void accumulateFour(
            float[] b,
            int bStart,
            int bStride,
            int steps,
            float[] a,
            int aStart,
            int aStride,
            float[] c,
            int cStart,
            int cStride) {
        int a1 = aStart + aStride;
        int to1 = cStart + cStride;
        int a2 = aStart + 2 * aStride;
        int to2 = cStart + 2 * cStride;
        int a3 = aStart + 3 * aStride;
        int to3 = cStart + 3 * cStride;
        FloatVector c00 = FloatVector.fromArray(FLOATS, c, cStart);
        FloatVector c01 = FloatVector.fromArray(FLOATS, c, cStart + COUNT);
        FloatVector c10 = FloatVector.fromArray(FLOATS, c, to1);
        FloatVector c11 = FloatVector.fromArray(FLOATS, c, to1 + COUNT);
        FloatVector c20 = FloatVector.fromArray(FLOATS, c, to2);
        FloatVector c21 = FloatVector.fromArray(FLOATS, c, to2 + COUNT);
        FloatVector c30 = FloatVector.fromArray(FLOATS, c, to3);
        FloatVector c31 = FloatVector.fromArray(FLOATS, c, to3 + COUNT);
        for (int i = 0; i < steps; i++) {
            int at = bStart + i * bStride;
            FloatVector b0 = FloatVector.fromArray(FLOATS, b, at);
            FloatVector b1 = FloatVector.fromArray(FLOATS, b, at + COUNT);
            FloatVector x = FloatVector.broadcast(FLOATS, a[aStart + i]);
            c00 = b0.fma(x, c00);
            c01 = b1.fma(x, c01);
            x = FloatVector.broadcast(FLOATS, a[a1 + i]);
            c10 = b0.fma(x, c10);
            c11 = b1.fma(x, c11);
            x = FloatVector.broadcast(FLOATS, a[a2 + i]);
            c20 = b0.fma(x, c20);
            c21 = b1.fma(x, c21);
            x = FloatVector.broadcast(FLOATS, a[a3 + i]);
            c30 = b0.fma(x, c30);
            c31 = b1.fma(x, c31);
        }
        c00.intoArray(c, cStart);
        c01.intoArray(c, cStart + COUNT);
        c10.intoArray(c, to1);
        c11.intoArray(c, to1 + COUNT);
        c20.intoArray(c, to2);
        c21.intoArray(c, to2 + COUNT);
        c30.intoArray(c, to3);
        c31.intoArray(c, to3 + COUNT);
    }

    private static void accumulateThree(
            float[] b,
            int bStart,
            int bStride,
            int steps,
            float[] a,
            int aStart,
            int aStride,
            float[] c,
            int cStart,
            int cStride) {
        int a1 = aStart + aStride;
        int to1 = cStart + cStride;
        int a2 = aStart + 2 * aStride;
        int to2 = cStart + 2 * cStride;
        FloatVector c00 = FloatVector.fromArray(FLOATS, c, cStart);
        FloatVector c01 = FloatVector.fromArray(FLOATS, c, cStart + COUNT);
        FloatVector c10 = FloatVector.fromArray(FLOATS, c, to1);
        FloatVector c11 = FloatVector.fromArray(FLOATS, c, to1 + COUNT);
        FloatVector c20 = FloatVector.fromArray(FLOATS, c, to2);
        FloatVector c21 = FloatVector.fromArray(FLOATS, c, to2 + COUNT);
        for (int i = 0; i < steps; i++) {
            int at = bStart + i * bStride;
            FloatVector b0 = FloatVector.fromArray(FLOATS, b, at);
            FloatVector b1 = FloatVector.fromArray(FLOATS, b, at + COUNT);
            FloatVector x = FloatVector.broadcast(FLOATS, a[aStart + i]);
            c00 = b0.fma(x, c00);
            c01 = b1.fma(x, c01);
            x = FloatVector.broadcast(FLOATS, a[a1 + i]);
            c10 = b0.fma(x, c10);
            c11 = b1.fma(x, c11);
            x = FloatVector.broadcast(FLOATS, a[a2 + i]);
            c20 = b0.fma(x, c20);
            c21 = b1.fma(x, c21);
        }
        c00.intoArray(c, cStart);
        c01.intoArray(c, cStart + COUNT);
        c10.intoArray(c, to1);
        c11.intoArray(c, to1 + COUNT);
        c20.intoArray(c, to2);
        c21.intoArray(c, to2 + COUNT);
    }

    private static void accumulateTwo(
            float[] b,
            int bStart,
            int bStride,
            int steps,
            float[] a,
            int aStart,
            int aStride,
            float[] c,
            int cStart,
            int cStride) {
        int a1 = aStart + aStride;
        int to1 = cStart + cStride;
        FloatVector c00 = FloatVector.fromArray(FLOATS, c, cStart);
        FloatVector c01 = FloatVector.fromArray(FLOATS, c, cStart + COUNT);
        FloatVector c10 = FloatVector.fromArray(FLOATS, c, to1);
        FloatVector c11 = FloatVector.fromArray(FLOATS, c, to1 + COUNT);
        for (int i = 0; i < steps; i++) {
            int at = bStart + i * bStride;
            FloatVector b0 = FloatVector.fromArray(FLOATS, b, at);
            FloatVector b1 = FloatVector.fromArray(FLOATS, b, at + COUNT);
            FloatVector x = FloatVector.broadcast(FLOATS, a[aStart + i]);
            c00 = b0.fma(x, c00);
            c01 = b1.fma(x, c01);
            x = FloatVector.broadcast(FLOATS, a[a1 + i]);
            c10 = b0.fma(x, c10);
            c11 = b1.fma(x, c11);
        }
        c00.intoArray(c, cStart);
        c01.intoArray(c, cStart + COUNT);
        c10.intoArray(c, to1);
        c11.intoArray(c, to1 + COUNT);
    }

    private static void accumulateOne(
            float[] b, int bStart, int bStride, int steps, float[] a, int aStart, float[] c, int cStart) {
        FloatVector c00 = FloatVector.fromArray(FLOATS, c, cStart);
        FloatVector c01 = FloatVector.fromArray(FLOATS, c, cStart + COUNT);
        for (int i = 0; i < steps; i++) {
            int at = bStart + i * bStride;
            FloatVector b0 = FloatVector.fromArray(FLOATS, b, at);
            FloatVector b1 = FloatVector.fromArray(FLOATS, b, at + COUNT);
            FloatVector x = FloatVector.broadcast(FLOATS, a[aStart + i]);
            c00 = b0.fma(x, c00);
            c01 = b1.fma(x, c01);
        }
        c00.intoArray(c, cStart);
        c01.intoArray(c, cStart + COUNT);
    }
}
