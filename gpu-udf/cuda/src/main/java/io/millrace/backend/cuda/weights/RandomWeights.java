package io.millrace.backend.cuda.weights;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.model.Float16;
import io.millrace.model.ModelSpec;
import io.millrace.model.ModelTensors;
import io.millrace.model.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Random;

/**
 * A model of noise in the shape of a real one, for measuring without its file: every matrix repeats one row of random
 * weights, shifted from row to row. Same seed, same weights.
 */
public final class RandomWeights implements WeightSource {
    private static final int SHIFTS = 61;

    private final ModelSpec spec;
    private final TensorType matrixType;
    private final long seed;
    private final Map<String, long[]> shapes;

    /**
     * Weights of a model.
     *
     * @param matrixType type of the matrices, F16, BF16 or Q8_0; norms and biases are F32
     */
    public RandomWeights(ModelSpec spec, TensorType matrixType, long seed) {
        this.spec = requireNonNull(spec, "spec");
        this.matrixType = requireNonNull(matrixType, "matrixType");
        this.seed = seed;
        this.shapes = ModelTensors.shapes(spec);
        if (matrixType != TensorType.F16 && matrixType != TensorType.BF16 && matrixType != TensorType.Q8_0) {
            throw new IllegalArgumentException("no random weights of type " + matrixType);
        }
    }

    @Override
    public ModelSpec spec() {
        return spec;
    }

    @Override
    public String name() {
        return "random weights in the shape of " + spec.name();
    }

    @Override
    public Tensor tensor(String name) {
        long[] shape = shapes.get(name);
        if (shape == null) {
            throw new ServingException(ErrorCode.MODEL_FILE_INVALID, name() + ": there is no tensor " + name);
        }
        boolean vector = shape.length == 1;
        return new NoiseTensor(
                vector ? TensorType.F32 : matrixType, shape[0], vector ? 1 : shape[1], noise(name, shape));
    }

    /** A row and what shifting needs behind it. */
    private ByteBuffer noise(String name, long[] shape) {
        Random random = new Random(seed ^ name.hashCode());
        int columns = Math.toIntExact(shape[0]);
        if (shape.length == 1) {
            ByteBuffer ones = ByteBuffer.allocate(columns * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < columns; i++) {
                ones.putFloat(1f);
            }
            return ones.flip();
        }
        float width = (float) Math.sqrt(3.0 / columns);
        int blocks = columns / matrixType.blockElements() + SHIFTS;
        ByteBuffer row = ByteBuffer.allocate(blocks * matrixType.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int block = 0; block < blocks; block++) {
            float value = (2 * random.nextFloat() - 1) * width;
            switch (matrixType) {
                case F16 -> row.putShort(Float16.floatToHalf(value));
                case BF16 -> row.putShort(Float16.floatToBfloat(value));
                default -> {
                    row.putShort(Float16.floatToHalf(width / 127));
                    for (int i = 0; i < matrixType.blockElements(); i++) {
                        row.put((byte) (random.nextInt(255) - 127));
                    }
                }
            }
        }
        return row.flip();
    }

    private record NoiseTensor(TensorType type, long rowLength, long rowCount, ByteBuffer noise) implements Tensor {
        @Override
        public ByteBuffer rows(long from, long count) {
            int rowBytes = Math.toIntExact(type.bytesFor(rowLength));
            if (count == 1) {
                int start = type == TensorType.F32 ? 0 : Math.floorMod(from * 7, SHIFTS) * type.blockBytes();
                return noise.slice(start, rowBytes).order(ByteOrder.LITTLE_ENDIAN);
            }
            ByteBuffer rows =
                    ByteBuffer.allocate(Math.toIntExact(count * rowBytes)).order(ByteOrder.LITTLE_ENDIAN);
            for (long row = from; row < from + count; row++) {
                rows.put(rows(row, 1));
            }
            return rows.flip();
        }
    }
}
