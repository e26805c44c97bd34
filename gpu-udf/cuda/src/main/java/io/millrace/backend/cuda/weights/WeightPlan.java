package io.millrace.backend.cuda.weights;

import static io.millrace.model.ModelTensors.layer;
import static java.util.Objects.requireNonNull;

import io.millrace.model.Dequantizer;
import io.millrace.model.ModelSpec;
import io.millrace.model.ModelTensors;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Where all of a model's weights will lie, from one address on, and what is written there. How much that is, is known
 * before anything is read.
 */
final class WeightPlan {
    private static final int ALIGNMENT = 256;
    private static final int POSITIONS_AT_ONCE = 4096;

    /** A matrix and its place. */
    record Matrix(MatrixPlan plan, PackedMatrix packed) {}

    /** Some floats and their place. */
    record Vector(long address, Supplier<float[]> values) {}

    private final WeightSource source;
    private final ModelSpec spec;
    private final List<Matrix> matrices = new ArrayList<>();
    private final List<Vector> vectors = new ArrayList<>();
    private final Collection<String> converted = new TreeSet<>();
    private final int[] queryKeyValueOrder;
    private final ModelWeights weights;
    private final long base;
    private long next;

    /** Plans from an address on, which is not zero and a multiple of 256. */
    WeightPlan(WeightSource source, int positions, long base) {
        this.source = requireNonNull(source, "source");
        this.spec = source.spec();
        this.base = base;
        this.next = base;
        this.queryKeyValueOrder = RowOrders.queryKeyValue(spec);
        List<LayerWeights> layers = new ArrayList<>();
        PackedMatrix embedding = matrix(ModelTensors.EMBEDDING, RowOrders.plain(spec.vocabSize()));
        for (int i = 0; i < spec.layerCount(); i++) {
            layers.add(layerWeights(i));
        }
        PackedMatrix output =
                spec.tiedOutput() ? embedding : matrix(ModelTensors.OUTPUT, RowOrders.plain(spec.vocabSize()));
        long outputNorm = vector(ModelTensors.OUTPUT_NORM);
        long rotations = rotations(spec.rope(), positions);
        long sliding = spec.slidingWindow() > 0 ? rotations(spec.slidingRope(), positions) : rotations;
        weights = new ModelWeights(embedding, layers, outputNorm, output, rotations, sliding);
    }

    /** The model once everything is written. */
    ModelWeights weights() {
        return weights;
    }

    List<Matrix> matrices() {
        return matrices;
    }

    List<Vector> vectors() {
        return vectors;
    }

    /** Bytes from the first address on. */
    long byteCount() {
        return next - base;
    }

    /** Types of tensors whose numbers are rounded to 16 bits. */
    Collection<String> convertedTypes() {
        return converted;
    }

    private LayerWeights layerWeights(int i) {
        int inner = spec.feedForwardLength();
        return new LayerWeights(
                vector(layer(i, "attn_norm.weight")),
                matrix(
                        "layer " + i + " attn_q, k, v",
                        List.of(
                                source.tensor(layer(i, "attn_q.weight")),
                                source.tensor(layer(i, "attn_k.weight")),
                                source.tensor(layer(i, "attn_v.weight"))),
                        queryKeyValueOrder),
                spec.attentionBias() ? bias(i) : 0,
                spec.queryKeyNorm() ? vector(layer(i, "attn_q_norm.weight")) : 0,
                spec.queryKeyNorm() ? vector(layer(i, "attn_k_norm.weight")) : 0,
                matrix(layer(i, "attn_output.weight"), RowOrders.plain(spec.embeddingLength())),
                spec.postNorms() ? vector(layer(i, "post_attention_norm.weight")) : 0,
                vector(layer(i, "ffn_norm.weight")),
                matrix(
                        "layer " + i + " ffn_gate, up",
                        List.of(source.tensor(layer(i, "ffn_gate.weight")), source.tensor(layer(i, "ffn_up.weight"))),
                        RowOrders.gated(inner)),
                matrix(layer(i, "ffn_down.weight"), RowOrders.plain(spec.embeddingLength())),
                spec.postNorms() ? vector(layer(i, "post_ffw_norm.weight")) : 0);
    }

    private PackedMatrix matrix(String name, int[] order) {
        return matrix(name, List.of(source.tensor(name)), order);
    }

    private PackedMatrix matrix(String name, List<WeightSource.Tensor> tensors, int[] order) {
        MatrixPlan plan = MatrixPlan.of(name, tensors, order);
        if (plan.isConverted()) {
            tensors.forEach(tensor -> converted.add(tensor.type().toString()));
        }
        PackedMatrix packed = new PackedMatrix(
                plan.format(),
                take(plan.elementBytes()),
                plan.scaleBytes() == 0 ? 0 : take(plan.scaleBytes()),
                plan.rows(),
                plan.paddedRows(),
                plan.columns(),
                plan.paddedColumns());
        matrices.add(new Matrix(plan, packed));
        return packed;
    }

    private long vector(String name) {
        WeightSource.Tensor tensor = source.tensor(name);
        long address = take(tensor.rowLength() * Float.BYTES);
        vectors.add(new Vector(address, () -> values(tensor)));
        return address;
    }

    private static float[] values(WeightSource.Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.rowLength())];
        Dequantizer.dequantize(tensor.type(), tensor.rows(0, 1), 0, values, 0, values.length);
        return values;
    }

    /** The three projections' biases, in the fused matrix's order. */
    private long bias(int i) {
        List<WeightSource.Tensor> parts = List.of(
                source.tensor(layer(i, "attn_q.bias")),
                source.tensor(layer(i, "attn_k.bias")),
                source.tensor(layer(i, "attn_v.bias")));
        int rows = FragmentLayout.paddedRows(queryKeyValueOrder.length);
        long address = take((long) rows * Float.BYTES);
        vectors.add(new Vector(address, () -> {
            float[] plain = new float[queryKeyValueOrder.length];
            int start = 0;
            for (WeightSource.Tensor part : parts) {
                float[] values = values(part);
                System.arraycopy(values, 0, plain, start, values.length);
                start += values.length;
            }
            float[] ordered = new float[rows];
            for (int row = 0; row < plain.length; row++) {
                ordered[row] = plain[queryKeyValueOrder[row]];
            }
            return ordered;
        }));
        return address;
    }

    private long rotations(ModelSpec.Rope rope, int positions) {
        long address = take((long) positions * rope.dimensions() * Float.BYTES);
        for (int from = 0; from < positions; from += POSITIONS_AT_ONCE) {
            int first = from;
            int end = Math.min(positions, from + POSITIONS_AT_ONCE);
            vectors.add(new Vector(
                    address + (long) first * rope.dimensions() * Float.BYTES,
                    () -> RotationTable.rotations(rope, first, end)));
        }
        return address;
    }

    private long take(long bytes) {
        long address = next;
        next += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        return address;
    }
}
