package io.millrace.model;

/**
 * A decoder-only transformer as data: one decoder reads it, whatever the family.
 *
 * @param architecture the GGUF's {@code general.architecture}
 * @param name the GGUF's {@code general.name}, or the file's name
 * @param vocabSize rows of the embedding and of the output matrix
 * @param layerCount decoder layers
 * @param embeddingLength width of the residual stream
 * @param feedForwardLength width of the feed-forward's inner layer
 * @param headCount query heads
 * @param kvHeadCount key/value heads; divides {@code headCount}
 * @param headDim elements of a head's query, key and value
 * @param contextLength most positions that the model was made for
 * @param rmsNormEpsilon added to the mean square in every RMSNorm
 * @param rope rotary position embedding of full-attention layers
 * @param slidingRope rotary position embedding of sliding-window layers; equal to {@code rope} where there are none
 * @param slidingWindow positions a sliding-window layer looks back on, its own included; 0 where there are none
 * @param slidingPattern layer {@code i} is a full-attention layer if {@code slidingWindow == 0} or {@code (i + 1) %
 *     slidingPattern == 0}; a sliding one otherwise
 * @param activation the feed-forward gate's function
 * @param queryKeyNorm whether queries and keys get an RMSNorm of their own, per head, before the rotation
 * @param attentionBias whether the query, key and value projections have biases
 * @param postNorms whether the attention's and the feed-forward's outputs get an RMSNorm before they are added
 * @param embeddingScale what a token's embedding is multiplied by; 1 for most
 * @param attentionScale what query-key products are multiplied by
 * @param tiedOutput whether the output matrix is the embedding
 */
public record ModelSpec(
        String architecture,
        String name,
        int vocabSize,
        int layerCount,
        int embeddingLength,
        int feedForwardLength,
        int headCount,
        int kvHeadCount,
        int headDim,
        int contextLength,
        float rmsNormEpsilon,
        Rope rope,
        Rope slidingRope,
        int slidingWindow,
        int slidingPattern,
        Activation activation,
        boolean queryKeyNorm,
        boolean attentionBias,
        boolean postNorms,
        float embeddingScale,
        float attentionScale,
        boolean tiedOutput) {

    /** Which elements of a head rotate together. */
    public enum RopeStyle {
        /** Elements 2i and 2i+1: llama's GGUF files, whose converter permutes the weights for it. */
        INTERLEAVED,
        /** Elements i and i + dim/2: GPT-NeoX, and qwen2, qwen3, gemma3. */
        HALVES
    }

    /** The feed-forward gate's function. */
    public enum Activation {
        /** x * sigmoid(x). */
        SILU,
        /** The tanh approximation of GELU. */
        GELU_TANH
    }

    /**
     * A rotary position embedding: element pair i of {@code dimensions / 2} turns by {@code position *
     * positionScale * base^(-2i / dimensions) / frequencyFactors[i]}.
     *
     * @param style which elements rotate together
     * @param dimensions how many elements of a head rotate
     * @param base the frequency base
     * @param positionScale 1 / the linear scaling factor; 1 for none
     * @param frequencyFactors Llama 3's per-frequency divisors (tensor {@code rope_freqs.weight}); empty for none; not
     *     to be written to
     */
    @SuppressWarnings("ArrayRecordComponent") // Kernels read it, and nobody compares it.
    public record Rope(RopeStyle style, int dimensions, float base, float positionScale, float[] frequencyFactors) {}

    /** Whether a layer attends to the sliding window only. */
    public boolean isSliding(int layer) {
        return slidingWindow > 0 && (layer + 1) % slidingPattern != 0;
    }
}
