package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.PackedMatrix;
import io.millrace.model.GgufTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A model's weights as the decoder reads them.
 *
 * @param embedding the vocabulary's rows, in the file
 * @param layers the decoder layers
 * @param outputNorm RMSNorm before the output matrix
 * @param output the output matrix; a packed copy of the embedding where the model ties them
 */
record DecoderWeights(GgufTensor embedding, List<LayerWeights> layers, float[] outputNorm, PackedMatrix output) {
    /** Bytes of memory that the matrices take. */
    long byteCount() {
        return matrices().mapToLong(PackedMatrix::byteCount).sum();
    }

    /** One matrix of each kind that kernels tell apart. */
    List<PackedMatrix> matrixKinds() {
        Map<String, PackedMatrix> kinds = new LinkedHashMap<>();
        matrices()
                .forEach(matrix -> kinds.putIfAbsent(
                        matrix.layout() + " " + matrix.hasMinimum() + " " + matrix.groupColumns(), matrix));
        return List.copyOf(kinds.values());
    }

    private Stream<PackedMatrix> matrices() {
        return Stream.concat(layers.stream().flatMap(LayerWeights::matrices), Stream.of(output));
    }
}
