package io.millrace.backend.cuda.weights;

/**
 * One decoder layer in the device's memory; addresses are 0 where the model has no such vector.
 *
 * @param attentionNorm RMSNorm before attention
 * @param queryKeyValue the projections to queries, keys and values, their rows by pairs
 * @param queryKeyValueBias their biases in the matrix's order of rows
 * @param queryNorm RMSNorm of each query head
 * @param keyNorm RMSNorm of each key head
 * @param attentionOutput projection back to the residual stream
 * @param postAttentionNorm RMSNorm of the attention's output
 * @param feedForwardNorm RMSNorm before the feed-forward
 * @param gateUp the feed-forward's gate and up projections by eights
 * @param down projection back to the residual stream
 * @param postFeedForwardNorm RMSNorm of the feed-forward's output
 */
public record LayerWeights(
        long attentionNorm,
        PackedMatrix queryKeyValue,
        long queryKeyValueBias,
        long queryNorm,
        long keyNorm,
        PackedMatrix attentionOutput,
        long postAttentionNorm,
        long feedForwardNorm,
        PackedMatrix gateUp,
        PackedMatrix down,
        long postFeedForwardNorm) {}
