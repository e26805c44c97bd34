package io.millrace.model;

import static java.util.Objects.requireNonNull;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Writes a GGUF file: first the metadata and the tensors are named, then {@link #write} writes all of it.
 *
 * <p>Tensors are read row by row while the file is written, so models larger than memory can be copied.
 */
public final class GgufWriter {
    private static final int BUFFER_BYTES = 1 << 20;

    private final int version;
    private final int alignment;
    private final Map<String, byte[]> entries = new LinkedHashMap<>();
    private final Map<String, PendingTensor> tensors = new LinkedHashMap<>();

    /** Gives a tensor's rows as floats, in their order. */
    @FunctionalInterface
    public interface RowSource {
        /** Puts row {@code row} into {@code destination}, from its start. */
        void read(long row, float[] destination);
    }

    /** Writes a row of a tensor's bytes. */
    @FunctionalInterface
    private interface RowBytes {
        void put(long row, ByteBuffer destination);
    }

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record PendingTensor(String name, TensorType type, long[] shape, RowBytes rows) {
        long rowCount() {
            long count = 1;
            for (int i = 1; i < shape.length; i++) {
                count = Math.multiplyExact(count, shape[i]);
            }
            return count;
        }

        int rowBytes() {
            return Math.toIntExact(type.bytesFor(shape[0]));
        }
    }

    /** A writer of GGUF version 3 with the default alignment of 32 bytes. */
    public GgufWriter() {
        this(3, GgufHeader.ALIGNMENT_DEFAULT);
    }

    /**
     * A writer of a version and alignment.
     *
     * @param version 2 or 3
     * @param alignment a power of two; one other than 32 is written as metadata too
     */
    public GgufWriter(int version, int alignment) {
        if (version != 2 && version != 3) {
            throw new IllegalArgumentException("version must be 2 or 3: " + version);
        }
        if (Integer.bitCount(alignment) != 1 || alignment < 0) {
            throw new IllegalArgumentException("alignment must be a power of two: " + alignment);
        }
        this.version = version;
        this.alignment = alignment;
        if (alignment != GgufHeader.ALIGNMENT_DEFAULT) {
            putInt(GgufHeader.ALIGNMENT_KEY, alignment);
        }
    }

    /** Adds a string. */
    public GgufWriter putString(String key, String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        return put(key, GgufValueType.STRING, Long.BYTES + bytes.length, to -> putBytes(to, bytes));
    }

    /** Adds an unsigned 32-bit integer, the usual type of counts and token ids. */
    public GgufWriter putInt(String key, int value) {
        return put(key, GgufValueType.UINT32, Integer.BYTES, to -> to.putInt(value));
    }

    /** Adds an unsigned 64-bit integer. */
    public GgufWriter putLong(String key, long value) {
        return put(key, GgufValueType.UINT64, Long.BYTES, to -> to.putLong(value));
    }

    /** Adds a single-precision number. */
    public GgufWriter putFloat(String key, float value) {
        return put(key, GgufValueType.FLOAT32, Float.BYTES, to -> to.putFloat(value));
    }

    /** Adds a truth value. */
    public GgufWriter putBool(String key, boolean value) {
        return put(key, GgufValueType.BOOL, 1, to -> to.put((byte) (value ? 1 : 0)));
    }

    /** Adds an array of strings. */
    public GgufWriter putStringArray(String key, List<String> values) {
        List<byte[]> strings = new ArrayList<>();
        int bytes = 0;
        for (String value : values) {
            byte[] string = value.getBytes(StandardCharsets.UTF_8);
            strings.add(string);
            bytes += Long.BYTES + string.length;
        }
        return putArray(key, GgufValueType.STRING, values.size(), bytes, to -> {
            for (byte[] string : strings) {
                putBytes(to, string);
            }
        });
    }

    /** Adds an array of signed 32-bit integers. */
    public GgufWriter putIntArray(String key, int[] values) {
        return putArray(key, GgufValueType.INT32, values.length, Integer.BYTES * values.length, to -> {
            for (int value : values) {
                to.putInt(value);
            }
        });
    }

    /** Adds an array of single-precision numbers. */
    public GgufWriter putFloatArray(String key, float[] values) {
        return putArray(key, GgufValueType.FLOAT32, values.length, Float.BYTES * values.length, to -> {
            for (float value : values) {
                to.putFloat(value);
            }
        });
    }

    /** Adds a key of another file with its type and value, byte for byte. */
    public GgufWriter putCopy(GgufMetadata source, String key) {
        if (key.equals(GgufHeader.ALIGNMENT_KEY)) {
            throw new IllegalArgumentException("the alignment is the writer's own");
        }
        ByteBuffer raw = source.rawEntry(key);
        byte[] bytes = new byte[raw.remaining()];
        raw.get(bytes);
        return putEntry(key, bytes);
    }

    /** Adds a tensor whose rows are quantised as they are written. */
    public GgufWriter addTensor(String name, TensorType type, long[] shape, RowSource source) {
        requireNonNull(source, "source");
        float[] row = new float[Math.toIntExact(shape[0])];
        return addTensor(new PendingTensor(name, type, shape.clone(), (index, to) -> {
            source.read(index, row);
            Quantizer.quantize(type, row, 0, to, 0, row.length);
        }));
    }

    /** Adds a tensor of another file, byte for byte. */
    public GgufWriter addCopy(GgufTensor tensor) {
        return addTensor(new PendingTensor(
                tensor.name(),
                tensor.type(),
                tensor.shape(),
                (row, to) -> to.put(0, tensor.rows(row, 1), 0, (int) tensor.rowBytes())));
    }

    /** Writes the file; it appears under its name only when it is whole. */
    public void write(Path file) throws IOException {
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try {
            try (FileChannel channel = FileChannel.open(
                    part, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
                writeFully(channel, ByteBuffer.wrap(header()));
                writeTensors(channel);
            }
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private byte[] header() {
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        byte[] start = new byte[24];
        littleEndian(start)
                .putInt(GgufHeader.MAGIC)
                .putInt(version)
                .putLong(tensors.size())
                .putLong(entries.size());
        header.writeBytes(start);
        entries.values().forEach(header::writeBytes);
        long offset = 0;
        for (PendingTensor tensor : tensors.values()) {
            byte[] name = tensor.name().getBytes(StandardCharsets.UTF_8);
            byte[] infoBytes = new byte[Long.BYTES + name.length + 4 + 8 * tensor.shape().length + 4 + 8];
            ByteBuffer info = littleEndian(infoBytes);
            putBytes(info, name);
            info.putInt(tensor.shape().length);
            for (long dimension : tensor.shape()) {
                info.putLong(dimension);
            }
            info.putInt(tensor.type().ggmlId()).putLong(offset);
            header.writeBytes(infoBytes);
            offset = aligned(offset + tensor.rowCount() * tensor.rowBytes());
        }
        header.writeBytes(new byte[(int) (aligned(header.size()) - header.size())]);
        return header.toByteArray();
    }

    private void writeTensors(FileChannel channel) throws IOException {
        for (PendingTensor tensor : tensors.values()) {
            int rowBytes = tensor.rowBytes();
            int rowsAtOnce = Math.max(1, BUFFER_BYTES / rowBytes);
            ByteBuffer buffer = littleEndian(new byte[rowsAtOnce * rowBytes]);
            long rowCount = tensor.rowCount();
            for (long row = 0; row < rowCount; row++) {
                int slot = (int) (row % rowsAtOnce);
                tensor.rows().put(row, buffer.slice(slot * rowBytes, rowBytes).order(ByteOrder.LITTLE_ENDIAN));
                if (slot == rowsAtOnce - 1 || row == rowCount - 1) {
                    writeFully(channel, buffer.slice(0, (slot + 1) * rowBytes));
                }
            }
            long end = channel.position();
            writeFully(channel, ByteBuffer.allocate((int) (aligned(end) - end)));
        }
    }

    private GgufWriter addTensor(PendingTensor tensor) {
        tensor.type().bytesFor(tensor.shape()[0]);
        if (tensors.putIfAbsent(tensor.name(), tensor) != null) {
            throw new IllegalArgumentException("tensor added twice: " + tensor.name());
        }
        return this;
    }

    private GgufWriter putArray(
            String key, GgufValueType elementType, int count, int bytes, Consumer<ByteBuffer> elements) {
        return put(key, GgufValueType.ARRAY, GgufValueType.ARRAY.bytesMin() + bytes, to -> {
            to.putInt(elementType.id()).putLong(count);
            elements.accept(to);
        });
    }

    private GgufWriter put(String key, GgufValueType type, int valueBytes, Consumer<ByteBuffer> value) {
        byte[] name = key.getBytes(StandardCharsets.UTF_8);
        byte[] bytes = new byte[Long.BYTES + name.length + Integer.BYTES + valueBytes];
        ByteBuffer entry = littleEndian(bytes);
        putBytes(entry, name);
        entry.putInt(type.id());
        value.accept(entry);
        return putEntry(key, bytes);
    }

    private GgufWriter putEntry(String key, byte[] bytes) {
        if (entries.putIfAbsent(key, bytes) != null) {
            throw new IllegalArgumentException("metadata key added twice: " + key);
        }
        return this;
    }

    private static void putBytes(ByteBuffer to, byte[] bytes) {
        to.putLong(bytes.length).put(bytes);
    }

    private long aligned(long offset) {
        return (offset + alignment - 1) / alignment * alignment;
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
