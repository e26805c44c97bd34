package io.millrace.backend.cuda.weights;

import io.millrace.model.ModelSpec;
import io.millrace.model.TensorType;
import java.nio.ByteBuffer;

/** Where weights are read from: a model file, or a generator. Any thread. */
public interface WeightSource {
    /** What the model is. */
    ModelSpec spec();

    /** Where the weights come from, for messages. */
    String name();

    /**
     * Finds a tensor.
     *
     * @throws io.millrace.kv.ServingException {@code MODEL_FILE_INVALID} if there is none of this name
     */
    Tensor tensor(String name);

    /** A tensor's rows. */
    interface Tensor {
        /** How its elements are stored. */
        TensorType type();

        /** Elements of a row. */
        long rowLength();

        /** Number of rows. */
        long rowCount();

        /** The bytes of some rows, little-endian, from the buffer's start to its limit. */
        ByteBuffer rows(long from, long count);
    }
}
