package io.millrace.model;

import static io.millrace.model.GgufErrors.invalid;
import static io.millrace.model.GgufErrors.shown;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Names and shapes of the tensors that a {@link ModelSpec} has, as GGUF files name them. */
public final class ModelTensors {
    /** Rows of the vocabulary. */
    public static final String EMBEDDING = "token_embd.weight";

    /** The norm before the output matrix. */
    public static final String OUTPUT_NORM = "output_norm.weight";

    /** The output matrix, where it is not the embedding. */
    public static final String OUTPUT = "output.weight";

    /** Llama 3's divisors of the rotation's frequencies. */
    public static final String ROPE_FREQUENCIES = "rope_freqs.weight";

    private ModelTensors() {}

    /** Returns a layer's tensor's name: {@code blk.LAYER.PART}. */
    public static String layer(int layer, String part) {
        return "blk." + layer + "." + part;
    }

    /** Returns the shape of every tensor that the model has, by name; shapes are in GGUF's order. */
    public static Map<String, long[]> shapes(ModelSpec spec) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        long width = spec.embeddingLength();
        shapes.put(EMBEDDING, new long[] {width, spec.vocabSize()});
        for (int layer = 0; layer < spec.layerCount(); layer++) {
            addLayer(shapes, spec, "blk." + layer + ".");
        }
        shapes.put(OUTPUT_NORM, new long[] {width});
        if (!spec.tiedOutput()) {
            shapes.put(OUTPUT, new long[] {width, spec.vocabSize()});
        }
        if (spec.rope().frequencyFactors().length > 0) {
            shapes.put(ROPE_FREQUENCIES, new long[] {spec.rope().frequencyFactors().length});
        }
        return shapes;
    }

    private static void addLayer(Map<String, long[]> shapes, ModelSpec spec, String prefix) {
        long width = spec.embeddingLength();
        long queryWidth = (long) spec.headCount() * spec.headDim();
        long keyWidth = (long) spec.kvHeadCount() * spec.headDim();
        long inner = spec.feedForwardLength();
        shapes.put(prefix + "attn_norm.weight", new long[] {width});
        shapes.put(prefix + "attn_q.weight", new long[] {width, queryWidth});
        shapes.put(prefix + "attn_k.weight", new long[] {width, keyWidth});
        shapes.put(prefix + "attn_v.weight", new long[] {width, keyWidth});
        if (spec.attentionBias()) {
            shapes.put(prefix + "attn_q.bias", new long[] {queryWidth});
            shapes.put(prefix + "attn_k.bias", new long[] {keyWidth});
            shapes.put(prefix + "attn_v.bias", new long[] {keyWidth});
        }
        if (spec.queryKeyNorm()) {
            shapes.put(prefix + "attn_q_norm.weight", new long[] {spec.headDim()});
            shapes.put(prefix + "attn_k_norm.weight", new long[] {spec.headDim()});
        }
        shapes.put(prefix + "attn_output.weight", new long[] {queryWidth, width});
        if (spec.postNorms()) {
            shapes.put(prefix + "post_attention_norm.weight", new long[] {width});
        }
        shapes.put(prefix + "ffn_norm.weight", new long[] {width});
        shapes.put(prefix + "ffn_gate.weight", new long[] {width, inner});
        shapes.put(prefix + "ffn_up.weight", new long[] {width, inner});
        shapes.put(prefix + "ffn_down.weight", new long[] {inner, width});
        if (spec.postNorms()) {
            shapes.put(prefix + "post_ffw_norm.weight", new long[] {width});
        }
    }

    /** Refuses a file that lacks a tensor, has one of another shape, or one that would silently be left out. */
    static void check(Path file, ModelSpec spec, Map<String, GgufTensor> tensors) {
        Map<String, long[]> shapes = shapes(spec);
        shapes.forEach((name, shape) -> {
            GgufTensor tensor = tensors.get(name);
            if (tensor == null) {
                throw invalid(file, "tensor " + shown(name) + " is missing; expected shape " + Arrays.toString(shape));
            }
            if (!Arrays.equals(withoutTrailingOnes(tensor.shape()), withoutTrailingOnes(shape))) {
                throw invalid(
                        file,
                        "tensor " + shown(name) + ": expected shape " + Arrays.toString(shape) + ", found "
                                + Arrays.toString(tensor.shape()));
            }
        });
        for (String name : tensors.keySet()) {
            if (!shapes.containsKey(name) && !isDerived(name)) {
                throw invalid(
                        file,
                        "tensor " + shown(name) + " is not one that " + spec.architecture()
                                + " models are known to have, and leaving it out would change what the model says");
            }
        }
    }

    /** Old converters wrote the rotation's frequencies, which follow from the metadata. */
    private static boolean isDerived(String name) {
        return name.endsWith(".attn_rot_embd") || name.endsWith(".attn_rot_embd.weight");
    }

    private static long[] withoutTrailingOnes(long[] shape) {
        int length = shape.length;
        while (length > 1 && shape[length - 1] == 1) {
            length--;
        }
        return Arrays.copyOf(shape, length);
    }
}
