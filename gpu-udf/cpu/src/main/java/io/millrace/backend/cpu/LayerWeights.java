package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.PackedMatrix;
import java.util.stream.Stream;

/**
 * The weights of one decoder layer. A vector that the model does not have is empty.
 *
 * @param attentionNorm RMSNorm before attention
 * @param query projection to queries, {@code [heads * headDim]}
 * @param key projection to keys
 * @param value projection to values
 * @param queryBias added to queries
 * @param keyBias added to keys
 * @param valueBias added to values
 * @param queryNorm RMSNorm of each query head
 * @param keyNorm RMSNorm of each key head
 * @param attentionOutput projection back to the residual stream
 * @param postAttentionNorm RMSNorm of the attention's output
 * @param feedForwardNorm RMSNorm before the feed-forward
 * @param gate projection to the feed-forward's gate
 * @param up projection to what the gate multiplies
 * @param down projection back to the residual stream
 * @param postFeedForwardNorm RMSNorm of the feed-forward's output
 */
record LayerWeights(
        float[] attentionNorm,
        PackedMatrix query,
        PackedMatrix key,
        PackedMatrix value,
        float[] queryBias,
        float[] keyBias,
        float[] valueBias,
        float[] queryNorm,
        float[] keyNorm,
        PackedMatrix attentionOutput,
        float[] postAttentionNorm,
        float[] feedForwardNorm,
        PackedMatrix gate,
        PackedMatrix up,
        PackedMatrix down,
        float[] postFeedForwardNorm) {
    /** All matrices. */
    Stream<PackedMatrix> matrices() {
        return Stream.of(query, key, value, attentionOutput, gate, up, down);
    }
}
