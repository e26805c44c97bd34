package io.millrace.backend.cpu.kernel;

import io.millrace.model.Dequantizer;
import io.millrace.model.GgufTensor;
import io.millrace.model.TensorType;
import java.nio.ByteBuffer;

/** Repacks a model file's matrices into {@link PackedMatrix} form. */
public final class MatrixPacker {
    private MatrixPacker() {}

    /** Allocates the packed form of a tensor, still all zeros. */
    public static PackedMatrix allocate(GgufTensor tensor, int tileLanes) {
        int rows = Math.toIntExact(tensor.rowCount());
        int columns = Math.toIntExact(tensor.rowLength());
        TensorType type = tensor.type();
        PackedMatrix.Layout layout = QuantizedRow.layout(type);
        if (layout == PackedMatrix.Layout.FLOAT) {
            return PackedMatrix.ofFloats(rows, columns, tileLanes);
        }
        return PackedMatrix.ofQuants(
                layout, rows, columns, tileLanes, QuantizedRow.groupColumns(type), QuantizedRow.hasMinimum(type));
    }

    /** Bytes that the packed form of a tensor takes, but for the padding of its last tile. */
    public static long packedBytes(GgufTensor tensor) {
        TensorType type = tensor.type();
        long elements = tensor.elementCount();
        long scales = elements / QuantizedRow.groupColumns(type) * 4 * (QuantizedRow.hasMinimum(type) ? 2 : 1);
        return switch (QuantizedRow.layout(type)) {
            case FLOAT -> 4 * elements;
            case BYTE -> elements + scales;
            case NIBBLE -> elements / 2 + scales;
        };
    }

    /** Repacks a whole tensor. */
    public static PackedMatrix pack(GgufTensor tensor, int tileLanes) {
        PackedMatrix matrix = allocate(tensor, tileLanes);
        packTiles(tensor, matrix, 0, matrix.tileCount());
        return matrix;
    }

    /** Repacks tiles {@code from} to {@code to}, exclusive. Different tiles may be repacked by different threads. */
    public static void packTiles(GgufTensor tensor, PackedMatrix matrix, int from, int to) {
        if (matrix.layout == PackedMatrix.Layout.FLOAT) {
            packFloatTiles(tensor, matrix, from, to);
        } else {
            packQuantTiles(tensor, matrix, from, to);
        }
    }

    private static void packFloatTiles(GgufTensor tensor, PackedMatrix matrix, int from, int to) {
        float[] row = new float[matrix.columnCount];
        for (int tile = from; tile < to; tile++) {
            int rows = matrix.tileRows(tile);
            ByteBuffer source = tensor.rows((long) tile * matrix.tileLanes, rows);
            int rowBytes = (int) tensor.rowBytes();
            for (int lane = 0; lane < rows; lane++) {
                Dequantizer.dequantize(tensor.type(), source, lane * rowBytes, row, 0, matrix.columnCount);
                int start = matrix.columnStart(tile, 0) + lane;
                for (int column = 0; column < matrix.columnCount; column++) {
                    matrix.floats[start + column * matrix.tileLanes] = row[column];
                }
            }
        }
    }

    private static void packQuantTiles(GgufTensor tensor, PackedMatrix matrix, int from, int to) {
        QuantizedRow row = new QuantizedRow(tensor.type(), matrix.columnCount);
        int rowBytes = (int) tensor.rowBytes();
        for (int tile = from; tile < to; tile++) {
            int rows = matrix.tileRows(tile);
            ByteBuffer source = tensor.rows((long) tile * matrix.tileLanes, rows);
            for (int lane = 0; lane < rows; lane++) {
                row.read(source, lane * rowBytes);
                if (matrix.layout == PackedMatrix.Layout.NIBBLE) {
                    placeNibbles(row, matrix, matrix.columnStart(tile, 0) + lane);
                } else {
                    placeBytes(row, matrix, matrix.columnStart(tile, 0) + lane);
                }
                placeScales(row, matrix, matrix.scaleStart(tile, 0) + lane);
            }
        }
    }

    private static void placeNibbles(QuantizedRow row, PackedMatrix matrix, int start) {
        int to = start;
        for (int block = 0; block < matrix.columnCount; block += PackedMatrix.NIBBLE_BLOCK) {
            int run = matrix.nibbleRun(block);
            for (int i = block; i < block + run; i++) {
                matrix.quants[to] = (byte) (row.quants[i] | (row.quants[i + run] << 4));
                to += matrix.tileLanes;
            }
        }
    }

    private static void placeBytes(QuantizedRow row, PackedMatrix matrix, int start) {
        for (int column = 0; column < matrix.columnCount; column++) {
            matrix.quants[start + column * matrix.tileLanes] = row.quants[column];
        }
    }

    private static void placeScales(QuantizedRow row, PackedMatrix matrix, int start) {
        int stride = matrix.groupStride();
        for (int group = 0; group < row.scales.length; group++) {
            matrix.scales[start + group * stride] = row.scales[group];
            if (matrix.hasMinimum) {
                matrix.scales[start + group * stride + matrix.tileLanes] = row.minimums[group];
            }
        }
    }
}
