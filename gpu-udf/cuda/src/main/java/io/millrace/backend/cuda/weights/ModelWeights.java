package io.millrace.backend.cuda.weights;

import java.util.List;

/**
 * A model in the device's memory.
 *
 * @param embedding the vocabulary's rows
 * @param layers the decoder layers
 * @param outputNorm RMSNorm before the output matrix
 * @param output the output matrix; the embedding where the model ties them
 * @param rotations rotations of full-attention layers, {@code [position][pair]{cos, sin}}
 * @param slidingRotations those of sliding-window layers
 */
public record ModelWeights(
        PackedMatrix embedding,
        List<LayerWeights> layers,
        long outputNorm,
        PackedMatrix output,
        long rotations,
        long slidingRotations) {
    public ModelWeights {
        layers = List.copyOf(layers);
    }
}
