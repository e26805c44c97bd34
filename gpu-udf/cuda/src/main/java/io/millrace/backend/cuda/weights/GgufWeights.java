package io.millrace.backend.cuda.weights;

import static java.util.Objects.requireNonNull;

import io.millrace.model.GgufModel;
import io.millrace.model.GgufTensor;
import io.millrace.model.ModelSpec;
import io.millrace.model.TensorType;
import java.nio.ByteBuffer;

/** The weights of a model file. */
public record GgufWeights(GgufModel model) implements WeightSource {
    public GgufWeights {
        requireNonNull(model, "model");
    }

    @Override
    public ModelSpec spec() {
        return model.spec();
    }

    @Override
    public String name() {
        return model.file().toString();
    }

    @Override
    public Tensor tensor(String name) {
        return new FileTensor(model.tensor(name));
    }

    private record FileTensor(GgufTensor tensor) implements Tensor {
        @Override
        public TensorType type() {
            return tensor.type();
        }

        @Override
        public long rowLength() {
            return tensor.rowLength();
        }

        @Override
        public long rowCount() {
            return tensor.rowCount();
        }

        @Override
        public ByteBuffer rows(long from, long count) {
            return tensor.rows(from, count);
        }
    }
}
