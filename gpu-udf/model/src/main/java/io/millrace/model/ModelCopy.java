package io.millrace.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Function;

/** Copies models with their weights stored in another way. */
public final class ModelCopy {
    private static final String FILE_TYPE_KEY = "general.file_type";

    /** What llama.cpp calls a file whose tensors are all F32. */
    private static final int FILE_TYPE_F32 = 0;

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
            GgufWriter writer = copyMetadata(model, fileType);
            for (GgufTensor tensor : model.tensors()) {
                addConverted(writer, tensor, typeOf.apply(tensor));
            }
            writer.write(destination);
        }
    }

    private static GgufWriter copyMetadata(GgufModel model, int fileType) {
        GgufMetadata metadata = model.metadata();
        int alignment = metadata.getInt(GgufHeader.ALIGNMENT_KEY, GgufHeader.ALIGNMENT_DEFAULT);
        GgufWriter writer = new GgufWriter(3, alignment);
        for (String key : metadata.keys()) {
            if (key.equals(FILE_TYPE_KEY)) {
                writer.putInt(key, fileType);
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
