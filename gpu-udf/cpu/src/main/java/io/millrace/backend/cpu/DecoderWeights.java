package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.PackedMatrix;
import io.millrace.model.GgufTensor;
import java.util.List;

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
        long bytes = output.byteCount();
        for (LayerWeights layer : layers) {
            bytes += layer.query().byteCount()
                    + layer.key().byteCount()
                    + layer.value().byteCount()
                    + layer.attentionOutput().byteCount()
                    + layer.gate().byteCount()
                    + layer.up().byteCount()
                    + layer.down().byteCount();
        }
        return bytes;
    }
}
