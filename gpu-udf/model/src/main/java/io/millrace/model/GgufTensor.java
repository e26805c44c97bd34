package io.millrace.model;

import static java.util.Objects.requireNonNull;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A tensor of a model file; its bytes stay in the file's mapping.
 *
 * <p>Shapes are in GGUF's order: {@code shape[0]} is the row length, the innermost dimension. A row's bytes are whole
 * blocks of the type, and rows follow each other without a gap.
 */
public final class GgufTensor {
    private final String name;
    private final TensorType type;
    private final long[] shape;
    private final long rowCount;
    private final MappedFile file;
    private final long offset;

    GgufTensor(String name, TensorType type, long[] shape, MappedFile file, long offset) {
        this.name = requireNonNull(name, "name");
        this.type = requireNonNull(type, "type");
        this.shape = shape.clone();
        this.file = requireNonNull(file, "file");
        this.offset = offset;
        long rows = 1;
        for (int i = 1; i < shape.length; i++) {
            rows = Math.multiplyExact(rows, shape[i]);
        }
        this.rowCount = rows;
    }

    /** The tensor's name, as {@code blk.0.attn_q.weight}. */
    public String name() {
        return name;
    }

    /** How its elements are stored. */
    public TensorType type() {
        return type;
    }

    /** Its one to four dimensions, innermost first. */
    public long[] shape() {
        return shape.clone();
    }

    /** Elements in a row: {@code shape[0]}. */
    public long rowLength() {
        return shape[0];
    }

    /** Rows: the product of the other dimensions. */
    public long rowCount() {
        return rowCount;
    }

    /** All elements. */
    public long elementCount() {
        return rowCount * shape[0];
    }

    /** Bytes of a row. */
    public long rowBytes() {
        return type.bytesFor(shape[0]);
    }

    /** Bytes of the whole tensor. */
    public long byteCount() {
        return rowCount * rowBytes();
    }

    /** Where it starts in the file. */
    public long fileOffset() {
        return offset;
    }

    /**
     * Returns all its bytes: a read-only little-endian view of the mapped file.
     *
     * @throws IllegalStateException if it is longer than 1 GiB; {@link #rows} reads such a tensor in parts
     */
    public ByteBuffer data() {
        return rows(0, rowCount);
    }

    /**
     * Returns the bytes of {@code count} rows from row {@code from}: a read-only little-endian view of the mapped file.
     *
     * @throws IndexOutOfBoundsException if there are no such rows
     * @throws IllegalStateException if they are longer than 1 GiB
     */
    public ByteBuffer rows(long from, long count) {
        if (from < 0 || count < 0 || from > rowCount - count) {
            throw new IndexOutOfBoundsException(
                    "rows " + from + " + " + count + " of tensor " + name + ", which has " + rowCount);
        }
        long bytes = count * rowBytes();
        if (bytes > file.sliceBytesMax()) {
            throw new IllegalStateException("tensor " + name + ": " + bytes + " bytes at once; read its rows in parts"
                    + " of at most " + file.sliceBytesMax() + " bytes");
        }
        return file.slice(offset + from * rowBytes(), bytes);
    }

    @Override
    public String toString() {
        return name + " " + type + " " + Arrays.toString(shape);
    }
}
