package io.millrace.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Copies models with their weights stored in another way, or some of their layers. */
public final class ModelCopy {
    private static final String FILE_TYPE_KEY = "general.file_type";

    /** What llama.cpp calls a file whose tensors are all F32. */
    private static final int FILE_TYPE_F32 = 0;

    private static final String LAYER_COUNT_SUFFIX = ".block_count";
    private static final Pattern LAYER_TENSOR = Pattern.compile("blk\\.(\\d{1,6})\\.");

    private ModelCopy() {}

    /** Writes a copy whose weights are all F32: the same model without rounding to any smaller type. */
    public static void toF32(Path source, Path destination) throws IOException {
        convert(source, destination, FILE_TYPE_F32, tensor -> TensorType.F32);
    }

    /**
     * Writes a copy with each tensor stored as a type; a tensor that has it already is copied byte for byte.
     *
     * @param fileType the copy's {@code general.file_type}, by llama.cpp's numbers
     * @param typeOf the type that a tensor gets
     */
    public static void convert(Path source, Path destination, int fileType, Function<GgufTensor, TensorType> typeOf)
            throws IOException {
        try (GgufModel model = GgufModel.open(source)) {
            GgufWriter writer = copyMetadata(model, Map.of(FILE_TYPE_KEY, fileType));
            for (GgufTensor tensor : model.tensors()) {
                addConverted(writer, tensor, typeOf.apply(tensor));
            }
            writer.write(destination);
        }
    }

    /**
     * Writes a copy that has the first layers only: a smaller model of the same vocabulary, which says much the same.
     *
     * @param layerCount from 1 to the model's own
     */
    public static void firstLayers(Path source, Path destination, int layerCount) throws IOException {
        try (GgufModel model = GgufModel.open(source)) {
            if (layerCount < 1 || layerCount > model.spec().layerCount()) {
                throw new IllegalArgumentException(
                        source + " has " + model.spec().layerCount() + " layers, and not " + layerCount);
            }
            String countKey = model.spec().architecture() + LAYER_COUNT_SUFFIX;
            GgufWriter writer = copyMetadata(model, Map.of(countKey, layerCount));
            for (GgufTensor tensor : model.tensors()) {
                if (layer(tensor.name()) < layerCount) {
                    writer.addCopy(tensor);
                }
            }
            writer.write(destination);
        }
    }

    /** The layer that a tensor belongs to, or -1 where it is none's. */
    private static int layer(String tensorName) {
        Matcher matcher = LAYER_TENSOR.matcher(tensorName);
        return matcher.lookingAt() ? Integer.parseInt(matcher.group(1)) : -1;
    }

    private static GgufWriter copyMetadata(GgufModel model, Map<String, Integer> changed) {
        GgufMetadata metadata = model.metadata();
        int alignment = metadata.getInt(GgufHeader.ALIGNMENT_KEY, GgufHeader.ALIGNMENT_DEFAULT);
        GgufWriter writer = new GgufWriter(3, alignment);
        for (String key : metadata.keys()) {
            Integer value = changed.get(key);
            if (value != null) {
                writer.putInt(key, value);
            } else if (!key.equals(GgufHeader.ALIGNMENT_KEY)) {
                writer.putCopy(metadata, key);
            } else if (alignment == GgufHeader.ALIGNMENT_DEFAULT) {
                writer.putInt(key, alignment);
            }
        }
        return writer;
    }

    private static void addConverted(GgufWriter writer, GgufTensor tensor, TensorType type) {
        if (tensor.type() == type) {
            writer.addCopy(tensor);
        } else {
            writer.addTensor(
                    tensor.name(),
                    type,
                    tensor.shape(),
                    (row, floats) -> Dequantizer.dequantizeRow(tensor, row, floats, 0));
        }
    }
}
