package io.millrace.backend.cpu.vector;

import static io.millrace.backend.cpu.vector.Lanes.COUNT;
import static io.millrace.backend.cpu.vector.Lanes.FLOATS;

import io.millrace.backend.cpu.kernel.Exponential;
import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.backend.cpu.kernel.ScalarKernels;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Kernels on single rows: norms, softmax, and the feed-forward's gate. */
final class RowKernels {
    private RowKernels() {}

    static float sumOfSquares(float[] x, int start, int count, float[] lanes) {
        Arrays.fill(lanes, 0f);
        int whole = count & -Kernels.SUM_LANES;
        for (int lane = 0; lane < Kernels.SUM_LANES; lane += COUNT) {
            addSquares(x, start + lane, whole, lanes, lane);
        }
        ScalarKernels.addSquares(x, start, whole, count, lanes);
        return ScalarKernels.foldLanes(lanes);
    }

    private static void addSquares(float[] x, int start, int count, float[] lanes, int lane) {
        FloatVector sum = FloatVector.fromArray(FLOATS, lanes, lane);
        for (int i = 0; i < count; i += Kernels.SUM_LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, start + i);
            sum = v.fma(v, sum);
        }
        sum.intoArray(lanes, lane);
    }

    static float softmaxWeights(float[] s, int start, int from, int to, float scale, float[] lanes) {
        int end = ScalarKernels.padSoftmaxRange(s, start, from, to);
        int first = from & -Kernels.SUM_LANES;
        float max = max(s, start + first, start + end);
        Arrays.fill(lanes, 0f);
        for (int lane = 0; lane < Kernels.SUM_LANES; lane += COUNT) {
            addWeights(s, start + first + lane, start + end, max, scale, lanes, lane);
        }
        return ScalarKernels.foldLanes(lanes);
    }

    private static float max(float[] s, int from, int to) {
        FloatVector max = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
        for (int i = from; i < to; i += COUNT) {
            FloatVector v = FloatVector.fromArray(FLOATS, s, i);
            max = max.blend(v, v.compare(VectorOperators.GT, max));
        }
        // The greatest of finite numbers does not depend on the order of comparing.
        return max.reduceLanes(VectorOperators.MAX);
    }

    private static void addWeights(float[] s, int from, int to, float max, float scale, float[] lanes, int lane) {
        FloatVector sum = FloatVector.fromArray(FLOATS, lanes, lane);
        for (int i = from; i < to; i += Kernels.SUM_LANES) {
            FloatVector weight =
                    exp(FloatVector.fromArray(FLOATS, s, i).sub(max).mul(scale));
            weight.intoArray(s, i);
            sum = sum.add(weight);
        }
        sum.intoArray(lanes, lane);
    }

    static void silu(float[] gate, float[] up, int count) {
        for (int i = 0; i < count; i += COUNT) {
            FloatVector x = FloatVector.fromArray(FLOATS, gate, i);
            FloatVector y = x.div(exp(x.neg()).add(1f));
            y.mul(FloatVector.fromArray(FLOATS, up, i)).intoArray(gate, i);
        }
    }

    static void geluTanh(float[] gate, float[] up, int count) {
        FloatVector b = FloatVector.broadcast(FLOATS, Exponential.GELU_B);
        for (int i = 0; i < count; i += COUNT) {
            FloatVector x = FloatVector.fromArray(FLOATS, gate, i);
            FloatVector z = x.mul(b.lanewise(VectorOperators.FMA, x.mul(x), Exponential.GELU_A));
            FloatVector y = x.div(exp(z.neg()).add(1f));
            y.mul(FloatVector.fromArray(FLOATS, up, i)).intoArray(gate, i);
        }
    }

    /** The twin of {@link Exponential#exp}, operation by operation. */
    private static FloatVector exp(FloatVector x) {
        VectorMask<Float> low = x.compare(VectorOperators.LT, Exponential.LOW);
        FloatVector bounded = x.blend(Exponential.HIGH, x.compare(VectorOperators.GT, Exponential.HIGH));
        FloatVector shifted = bounded.lanewise(VectorOperators.FMA, Exponential.LOG2_E, Exponential.ROUNDER);
        FloatVector n = shifted.sub(Exponential.ROUNDER);
        FloatVector r = n.lanewise(VectorOperators.FMA, FloatVector.broadcast(FLOATS, -Exponential.LN2_HIGH), bounded);
        r = n.lanewise(VectorOperators.FMA, FloatVector.broadcast(FLOATS, -Exponential.LN2_LOW), r);
        FloatVector p = r.lanewise(VectorOperators.FMA, Exponential.P4, Exponential.P3);
        p = p.lanewise(VectorOperators.FMA, r, FloatVector.broadcast(FLOATS, Exponential.P2));
        p = p.lanewise(VectorOperators.FMA, r, FloatVector.broadcast(FLOATS, Exponential.P1));
        p = p.lanewise(VectorOperators.FMA, r, FloatVector.broadcast(FLOATS, Exponential.P0));
        FloatVector e = r.mul(r).lanewise(VectorOperators.FMA, p, r).add(1f);
        IntVector power = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
        FloatVector scaled = e.reinterpretAsInts().add(power).reinterpretAsFloats();
        return scaled.blend(0f, low);
    }
}
