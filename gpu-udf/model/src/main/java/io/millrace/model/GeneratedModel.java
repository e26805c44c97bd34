package io.millrace.model;

import static java.util.Objects.requireNonNull;

import io.millrace.model.ModelSpec.Activation;
import io.millrace.model.ModelSpec.Rope;
import io.millrace.model.ModelSpec.RopeStyle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * Writes small models with random weights: noise for a reader, and all that is real for everything else.
 *
 * <p>The same options give the same bytes on every machine. Weights are scaled so that each layer changes the residual
 * stream by about as much as it holds, and attention is far from uniform, so that a wrong key, position or mask shows
 * in the tokens.
 */
public final class GeneratedModel {
    private static final float ROPE_BASE = 10_000f;
    private static final float GEMMA_ROPE_BASE = 1_000_000f;
    private static final float EPSILON = 1e-5f;
    private static final int GEMMA_PATTERN = 2;

    private GeneratedModel() {}

    /**
     * What to generate.
     *
     * @param architecture one of llama, qwen2 (biases), qwen3 (query and key norms), gemma3 (sliding windows, post
     *     norms, SentencePiece vocabulary)
     * @param seed decides the weights
     * @param layerCount decoder layers
     * @param embeddingLength width; a multiple of the weight type's block, or smaller blocks are used
     * @param feedForwardLength width of the feed-forward's inner layer
     * @param headCount query heads
     * @param kvHeadCount key/value heads; divides {@code headCount}
     * @param headDim elements of a head; even
     * @param vocabSize tokens; at least {@link GeneratedVocabulary#SIZE_MIN}
     * @param contextLength most positions
     * @param slidingWindow for gemma3, whose every second layer then sees all; 0 for none
     * @param tiedOutput whether the embedding is the output matrix too
     * @param ropeFactors whether a llama model has Llama 3's frequency factors
     * @param ropeLinearFactor linear scaling of positions; 1 for none
     * @param weightType type of the matrices; norms and biases are F32
     */
    public record Options(
            String architecture,
            long seed,
            int layerCount,
            int embeddingLength,
            int feedForwardLength,
            int headCount,
            int kvHeadCount,
            int headDim,
            int vocabSize,
            int contextLength,
            int slidingWindow,
            boolean tiedOutput,
            boolean ropeFactors,
            float ropeLinearFactor,
            TensorType weightType) {

        /** Checks the architecture's name and the vocabulary's size; the rest is checked as in any model file. */
        public Options {
            requireNonNull(weightType, "weightType");
            if (!ModelSpecReader.ARCHITECTURES.contains(architecture)) {
                throw new IllegalArgumentException("unknown architecture: " + architecture);
            }
            if (vocabSize < GeneratedVocabulary.SIZE_MIN) {
                throw new IllegalArgumentException(
                        "vocabSize must be at least " + GeneratedVocabulary.SIZE_MIN + ": " + vocabSize);
            }
        }

        /** Two layers of width 64: four heads of 16, two key/value heads; 512 tokens, 4,096 positions, F32. */
        public static Options tiny(String architecture, long seed) {
            boolean gemma = architecture.equals("gemma3");
            boolean tied = gemma || architecture.equals("qwen2");
            return new Options(
                    architecture,
                    seed,
                    gemma ? 4 : 2,
                    64,
                    128,
                    4,
                    2,
                    16,
                    512,
                    4096,
                    gemma ? 32 : 0,
                    tied,
                    false,
                    1f,
                    TensorType.F32);
        }

        /** The same with another shape. */
        public Options withShape(int layers, int width, int feedForward, int heads, int kvHeads, int headSize) {
            return new Options(
                    architecture,
                    seed,
                    layers,
                    width,
                    feedForward,
                    heads,
                    kvHeads,
                    headSize,
                    vocabSize,
                    contextLength,
                    slidingWindow,
                    tiedOutput,
                    ropeFactors,
                    ropeLinearFactor,
                    weightType);
        }

        /** The same with matrices of another type. */
        public Options withWeightType(TensorType type) {
            return new Options(
                    architecture,
                    seed,
                    layerCount,
                    embeddingLength,
                    feedForwardLength,
                    headCount,
                    kvHeadCount,
                    headDim,
                    vocabSize,
                    contextLength,
                    slidingWindow,
                    tiedOutput,
                    ropeFactors,
                    ropeLinearFactor,
                    type);
        }

        /** The same with another vocabulary size and context. */
        public Options withLimits(int tokens, int positions) {
            return new Options(
                    architecture,
                    seed,
                    layerCount,
                    embeddingLength,
                    feedForwardLength,
                    headCount,
                    kvHeadCount,
                    headDim,
                    tokens,
                    positions,
                    slidingWindow,
                    tiedOutput,
                    ropeFactors,
                    ropeLinearFactor,
                    weightType);
        }

        /** The same with other rotations. */
        public Options withRope(boolean factors, float linearFactor) {
            return new Options(
                    architecture,
                    seed,
                    layerCount,
                    embeddingLength,
                    feedForwardLength,
                    headCount,
                    kvHeadCount,
                    headDim,
                    vocabSize,
                    contextLength,
                    slidingWindow,
                    tiedOutput,
                    factors,
                    linearFactor,
                    weightType);
        }

        /** The same with the embedding as output matrix, or with one of its own. */
        public Options withTiedOutput(boolean tied) {
            return new Options(
                    architecture,
                    seed,
                    layerCount,
                    embeddingLength,
                    feedForwardLength,
                    headCount,
                    kvHeadCount,
                    headDim,
                    vocabSize,
                    contextLength,
                    slidingWindow,
                    tied,
                    ropeFactors,
                    ropeLinearFactor,
                    weightType);
        }

        private boolean isGemma() {
            return architecture.equals("gemma3");
        }
    }

    /** Writes a model. */
    public static void write(Path file, Options options) throws IOException {
        ModelSpec spec = spec(options);
        GgufWriter writer = new GgufWriter();
        putSpec(writer, options, spec);
        if (options.isGemma()) {
            GeneratedVocabulary.putSentencePiece(writer, options.vocabSize());
        } else {
            GeneratedVocabulary.putByteLevel(writer, options.architecture(), options.vocabSize());
        }
        GeneratedWeights weights = new GeneratedWeights(spec, options.seed());
        for (Map.Entry<String, long[]> tensor : ModelTensors.shapes(spec).entrySet()) {
            String name = tensor.getKey();
            long[] shape = tensor.getValue();
            TensorType type = shape.length == 1 ? TensorType.F32 : typeFor(options.weightType(), shape[0]);
            writer.addTensor(name, type, shape, weights.rows(name));
        }
        writer.write(file);
    }

    /** The wanted type, or the nearest that has blocks a row can be made of. */
    private static TensorType typeFor(TensorType wanted, long rowLength) {
        if (rowLength % wanted.blockElements() == 0) {
            return wanted;
        }
        return rowLength % TensorType.Q8_0.blockElements() == 0 ? TensorType.Q8_0 : TensorType.F32;
    }

    private static void putSpec(GgufWriter writer, Options options, ModelSpec spec) {
        String prefix = options.architecture() + ".";
        writer.putString("general.architecture", options.architecture())
                .putString("general.type", "model")
                .putString("general.name", spec.name())
                .putInt(prefix + "block_count", spec.layerCount())
                .putInt(prefix + "context_length", spec.contextLength())
                .putInt(prefix + "embedding_length", spec.embeddingLength())
                .putInt(prefix + "feed_forward_length", spec.feedForwardLength())
                .putInt(prefix + "attention.head_count", spec.headCount())
                .putInt(prefix + "attention.head_count_kv", spec.kvHeadCount())
                .putInt(prefix + "attention.key_length", spec.headDim())
                .putInt(prefix + "attention.value_length", spec.headDim())
                .putInt(prefix + "rope.dimension_count", spec.headDim())
                .putFloat(prefix + "attention.layer_norm_rms_epsilon", spec.rmsNormEpsilon())
                .putFloat(prefix + "rope.freq_base", spec.rope().base())
                .putInt(prefix + "vocab_size", spec.vocabSize());
        if (options.ropeLinearFactor() != 1f) {
            writer.putString(prefix + "rope.scaling.type", "linear")
                    .putFloat(prefix + "rope.scaling.factor", options.ropeLinearFactor());
        }
        if (options.isGemma()) {
            writer.putInt(prefix + "attention.sliding_window", spec.slidingWindow())
                    .putInt(prefix + "attention.sliding_window_pattern", GEMMA_PATTERN);
        }
    }

    private static ModelSpec spec(Options options) {
        boolean gemma = options.isGemma();
        RopeStyle style = options.architecture().equals("llama") ? RopeStyle.INTERLEAVED : RopeStyle.HALVES;
        boolean factored = options.ropeFactors() && options.architecture().equals("llama");
        float[] factors = new float[factored ? options.headDim() / 2 : 0];
        Rope rope = new Rope(
                style,
                options.headDim(),
                gemma ? GEMMA_ROPE_BASE : ROPE_BASE,
                1f / options.ropeLinearFactor(),
                factors);
        return new ModelSpec(
                options.architecture(),
                "generated-" + options.architecture() + "-" + options.seed(),
                options.vocabSize(),
                options.layerCount(),
                options.embeddingLength(),
                options.feedForwardLength(),
                options.headCount(),
                options.kvHeadCount(),
                options.headDim(),
                options.contextLength(),
                EPSILON,
                rope,
                rope,
                options.slidingWindow(),
                GEMMA_PATTERN,
                gemma ? Activation.GELU_TANH : Activation.SILU,
                gemma || options.architecture().equals("qwen3"),
                options.architecture().equals("qwen2"),
                gemma,
                gemma ? (float) Math.sqrt(options.embeddingLength()) : 1f,
                1f / (float) Math.sqrt(options.headDim()),
                options.tiedOutput());
    }
}
