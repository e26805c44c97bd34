package io.millrace.model;

import static io.millrace.model.GgufErrors.invalid;
import static io.millrace.model.GgufErrors.shown;

import io.millrace.model.ModelSpec.Activation;
import io.millrace.model.ModelSpec.Rope;
import io.millrace.model.ModelSpec.RopeStyle;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Makes a {@link ModelSpec} of a file's metadata and tensors, checking every number. */
final class ModelSpecReader {
    /** What is read from metadata under the architecture's prefix means the same for all of these. */
    static final List<String> ARCHITECTURES = List.of("llama", "qwen2", "qwen3", "gemma3");

    private static final int LAYERS_MAX = 1024;
    private static final int WIDTH_MAX = 1 << 17;
    private static final int FEED_FORWARD_MAX = 1 << 20;
    private static final int HEADS_MAX = 1024;
    private static final int HEAD_DIM_MAX = 1024;
    private static final int CONTEXT_MAX = 1 << 27;
    private static final int VOCABULARY_MAX = 1 << 22;

    private static final int NAME_CHARACTERS_MAX = 200;

    private static final float ROPE_BASE_DEFAULT = 10_000f;
    private static final int GEMMA3_PATTERN_DEFAULT = 6;

    /** Gemma 3 27B scales by its width per head, not by its head's dimension; the file says which it is by depth. */
    private static final int GEMMA3_27B_LAYERS = 62;

    private final Path file;
    private final GgufMetadata metadata;
    private final Map<String, GgufTensor> tensors;
    private final String architecture;

    private ModelSpecReader(Path file, GgufMetadata metadata, Map<String, GgufTensor> tensors) {
        this.file = file;
        this.metadata = metadata;
        this.tensors = tensors;
        this.architecture = metadata.getString("general.architecture");
    }

    static ModelSpec read(Path file, GgufMetadata metadata, Map<String, GgufTensor> tensors) {
        ModelSpecReader reader = new ModelSpecReader(file, metadata, tensors);
        reader.checkSupported();
        ModelSpec spec = reader.readSpec();
        ModelTensors.check(file, spec, tensors);
        return spec;
    }

    private void checkSupported() {
        if (!ARCHITECTURES.contains(architecture)) {
            throw metadata.invalidValue(
                    "general.architecture",
                    "expected a supported architecture (" + String.join(", ", ARCHITECTURES) + "), found "
                            + shown(architecture));
        }
        String type = metadata.getString("general.type", "model");
        if (!type.equals("model")) {
            throw metadata.invalidValue("general.type", "expected 'model', found " + shown(type));
        }
        int splitCount = metadata.getInt("split.count", 1);
        if (splitCount > 1) {
            throw metadata.invalidValue(
                    "split.count",
                    "expected a model in one file, found one of " + splitCount
                            + " parts; merge them with llama-gguf-split --merge");
        }
        refuseUnlessZero("expert_count", "a dense feed-forward, found a mixture of experts");
        refuseUnlessZero("attn_logit_softcapping", "no softcapping of attention");
        refuseUnlessZero("final_logit_softcapping", "no softcapping of logits");
        refuseUnlessZero("attention.scale", "no attention scale of its own");
        if (metadata.contains(key("attention.causal")) && !metadata.getBool(key("attention.causal"))) {
            throw metadata.invalidValue(key("attention.causal"), "expected a causal decoder");
        }
    }

    private void refuseUnlessZero(String name, String expected) {
        String key = key(name);
        if (!metadata.contains(key)) {
            return;
        }
        boolean zero = name.endsWith("count") ? metadata.getLong(key) == 0 : metadata.getFloat(key) == 0;
        if (!zero) {
            throw metadata.invalidValue(key, "expected " + expected);
        }
    }

    private ModelSpec readSpec() {
        boolean gemma = architecture.equals("gemma3");
        int layerCount = positive("block_count", LAYERS_MAX);
        int width = positive("embedding_length", WIDTH_MAX);
        int headCount = perLayer("attention.head_count", 0, HEADS_MAX);
        int kvHeadCount = perLayer("attention.head_count_kv", headCount, HEADS_MAX);
        if (headCount % kvHeadCount != 0) {
            throw metadata.invalidValue(
                    key("attention.head_count_kv"),
                    "expected a divisor of the " + headCount + " heads, found " + kvHeadCount);
        }
        int headDim = headDim(width, headCount);
        Rope rope = rope(headDim);
        int slidingWindow = gemma ? nonNegative("attention.sliding_window", CONTEXT_MAX) : 0;
        float scaleOver = gemma && layerCount == GEMMA3_27B_LAYERS ? width / headCount : headDim;
        return new ModelSpec(
                architecture,
                name(),
                vocabSize(width),
                layerCount,
                width,
                perLayer("feed_forward_length", 0, FEED_FORWARD_MAX),
                headCount,
                kvHeadCount,
                headDim,
                positive("context_length", CONTEXT_MAX),
                epsilon(),
                rope,
                slidingWindow > 0 ? slidingRope(rope) : rope,
                slidingWindow,
                slidingWindow > 0 ? slidingPattern() : 1,
                gemma ? Activation.GELU_TANH : Activation.SILU,
                gemma || architecture.equals("qwen3"),
                architecture.equals("qwen2") || tensors.containsKey("blk.0.attn_q.bias"),
                gemma,
                gemma ? (float) Math.sqrt(width) : 1f,
                1f / (float) Math.sqrt(scaleOver),
                !tensors.containsKey("output.weight"));
    }

    private String name() {
        String name = metadata.getString("general.name", String.valueOf(file.getFileName()));
        return name.substring(0, Math.min(name.length(), NAME_CHARACTERS_MAX));
    }

    private int headDim(int width, int headCount) {
        int headDim;
        if (metadata.contains(key("attention.key_length"))) {
            headDim = positive("attention.key_length", HEAD_DIM_MAX);
        } else if (width % headCount == 0) {
            headDim = width / headCount;
        } else {
            throw metadata.invalidValue(
                    key("attention.head_count"), "expected a divisor of the width " + width + ", found " + headCount);
        }
        if (headDim > HEAD_DIM_MAX || headDim % 2 != 0) {
            throw invalid(file, "expected heads of an even size up to " + HEAD_DIM_MAX + ", found " + headDim);
        }
        String valueKey = key("attention.value_length");
        int valueDim = metadata.getInt(valueKey, headDim);
        if (valueDim != headDim) {
            throw metadata.invalidValue(
                    valueKey, "expected values as long as keys (" + headDim + "), found " + valueDim);
        }
        return headDim;
    }

    private Rope rope(int headDim) {
        String dimensionsKey = key("rope.dimension_count");
        int dimensions = metadata.getInt(dimensionsKey, headDim);
        if (dimensions <= 0 || dimensions > headDim || dimensions % 2 != 0) {
            throw metadata.invalidValue(
                    dimensionsKey,
                    "expected an even number up to the head's size " + headDim + ", found " + dimensions);
        }
        RopeStyle style = architecture.equals("llama") ? RopeStyle.INTERLEAVED : RopeStyle.HALVES;
        float base = positiveFloat("rope.freq_base", ROPE_BASE_DEFAULT);
        return new Rope(style, dimensions, base, ropePositionScale(), frequencyFactors(dimensions));
    }

    private float ropePositionScale() {
        String typeKey = key("rope.scaling.type");
        String type = metadata.getString(typeKey, "linear");
        if (!type.equals("linear") && !type.equals("none")) {
            throw metadata.invalidValue(typeKey, "expected 'linear' or 'none', found " + shown(type));
        }
        String attentionKey = key("rope.scaling.attn_factor");
        if (metadata.getFloat(attentionKey, 1f) != 1f) {
            throw metadata.invalidValue(attentionKey, "expected 1, which is no scaling of attention");
        }
        String factorName = metadata.contains(key("rope.scaling.factor")) ? "rope.scaling.factor" : "rope.scale_linear";
        if (type.equals("none") || metadata.getFloat(key(factorName), 0f) == 0f) {
            return 1f;
        }
        return 1f / positiveFloat(factorName, 1f);
    }

    private float[] frequencyFactors(int dimensions) {
        GgufTensor tensor = tensors.get(ModelTensors.ROPE_FREQUENCIES);
        if (tensor == null || !architecture.equals("llama")) {
            return new float[0];
        }
        if (tensor.elementCount() != dimensions / 2) {
            throw invalid(
                    file,
                    "tensor " + tensor + ": expected " + dimensions / 2 + " factors, one for each pair that rotates");
        }
        float[] factors = new float[dimensions / 2];
        Dequantizer.dequantizeRow(tensor, 0, factors, 0);
        for (float factor : factors) {
            if (!(factor > 0) || Float.isInfinite(factor)) {
                throw invalid(file, "tensor " + tensor + ": expected positive factors, found " + factor);
            }
        }
        return factors;
    }

    /** The local layers of Gemma 3 keep an unscaled rotation with a base of their own. */
    private Rope slidingRope(Rope full) {
        float base = positiveFloat("rope.freq_base_swa", ROPE_BASE_DEFAULT);
        return new Rope(full.style(), full.dimensions(), base, 1f, new float[0]);
    }

    private int slidingPattern() {
        return metadata.contains(key("attention.sliding_window_pattern"))
                ? positive("attention.sliding_window_pattern", LAYERS_MAX)
                : GEMMA3_PATTERN_DEFAULT;
    }

    private int vocabSize(int width) {
        GgufTensor embedding = tensors.get(ModelTensors.EMBEDDING);
        if (embedding == null) {
            throw invalid(file, "tensor " + shown(ModelTensors.EMBEDDING) + " is missing");
        }
        if (embedding.rowLength() != width || embedding.rowCount() > VOCABULARY_MAX) {
            throw invalid(
                    file,
                    "tensor " + embedding + ": expected rows of " + width + " and at most " + VOCABULARY_MAX
                            + " of them");
        }
        int vocabSize = (int) embedding.rowCount();
        String tokensKey = "tokenizer.ggml.tokens";
        if (metadata.contains(tokensKey) && metadata.count(tokensKey) != vocabSize) {
            throw metadata.invalidValue(
                    tokensKey,
                    "expected as many tokens as the embedding has rows (" + vocabSize + "), found "
                            + metadata.count(tokensKey));
        }
        return vocabSize;
    }

    private float epsilon() {
        String key = key("attention.layer_norm_rms_epsilon");
        float epsilon = metadata.getFloat(key);
        if (!(epsilon > 0 && epsilon < 1)) {
            throw metadata.invalidValue(key, "expected a number between 0 and 1, found " + epsilon);
        }
        return epsilon;
    }

    private float positiveFloat(String name, float defaultValue) {
        float value = metadata.getFloat(key(name), defaultValue);
        if (!(value > 0) || Float.isInfinite(value)) {
            throw metadata.invalidValue(key(name), "expected a positive number, found " + value);
        }
        return value;
    }

    private int positive(String name, int max) {
        return range(name, metadata.getLong(key(name)), 1, max);
    }

    private int nonNegative(String name, int max) {
        return range(name, metadata.getLong(key(name), 0), 0, max);
    }

    /** A number that some files have once for each layer; only equal ones are supported. */
    private int perLayer(String name, int defaultValue, int max) {
        String key = key(name);
        if (defaultValue > 0 && !metadata.contains(key)) {
            return defaultValue;
        }
        if (!metadata.contains(key) || !metadata.isArray(key)) {
            return positive(name, max);
        }
        int[] values = metadata.getIntArray(key);
        for (int value : values) {
            if (value != values[0]) {
                throw metadata.invalidValue(key, "expected the same for every layer, found different numbers");
            }
        }
        return range(name, values.length == 0 ? 0 : values[0], 1, max);
    }

    private int range(String name, long value, int min, int max) {
        if (value < min || value > max) {
            throw metadata.invalidValue(
                    key(name),
                    "expected a number from " + min + " to " + max + ", found " + Long.toUnsignedString(value));
        }
        return (int) value;
    }

    private String key(String name) {
        return architecture + "." + name;
    }
}
