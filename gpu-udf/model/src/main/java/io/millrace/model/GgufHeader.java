package io.millrace.model;

import static io.millrace.model.GgufErrors.invalid;
import static io.millrace.model.GgufErrors.invalidAt;
import static io.millrace.model.GgufErrors.shown;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A GGUF file's header, parsed and checked against the file's length.
 *
 * <pre>
 * magic "GGUF" | version u32 | tensor count u64 | metadata count u64 |
 * metadata: key string, value type u32, value | ... |
 * tensor table: name string, dimension count u32, dimensions u64..., type u32, offset u64 | ... |
 * padding to the alignment | tensor data
 * </pre>
 *
 * Strings are a u64 length and bytes; arrays an element type u32, a u64 count and the elements. Versions 2 and 3 are
 * the same for little-endian files.
 *
 * @param metadata the keys and values
 * @param tensors by name, in the table's order
 * @param dataStart first byte of the tensor data
 */
record GgufHeader(GgufMetadata metadata, Map<String, GgufTensor> tensors, long dataStart) {
    static final int MAGIC = 0x46554747;
    static final int ALIGNMENT_DEFAULT = 32;
    static final String ALIGNMENT_KEY = "general.alignment";

    /** Ten times the largest vocabulary's; a header is decoded on the heap, part by part. */
    private static final long HEADER_BYTES_MAX = 128L << 20;

    private static final int ALIGNMENT_MAX = 1 << 16;
    private static final int ENTRIES_MAX = 1 << 14;
    private static final int TENSORS_MAX = 1 << 16;
    private static final int KEY_BYTES_MAX = 1024;
    private static final int STRING_BYTES_MAX = 16 << 20;
    private static final int ARRAY_ELEMENTS_MAX = 1 << 22;
    private static final int TENSOR_NAME_BYTES_MAX = 64;
    private static final int DIMENSIONS_MAX = 4;

    /** Key length, a key of one byte, value type, a value of one byte. */
    private static final int ENTRY_BYTES_MIN = 8 + 1 + 4 + 1;

    /** Name length, a name of one byte, dimension count, one dimension, type, offset. */
    private static final int TENSOR_INFO_BYTES_MIN = 8 + 1 + 4 + 8 + 4 + 8;

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record TensorInfo(String name, int at, TensorType type, long[] shape, long offset, long bytes) {}

    static GgufHeader read(MappedFile mapped) {
        Path file = mapped.path();
        long length = Math.min(Math.min(mapped.size(), HEADER_BYTES_MAX), mapped.sliceBytesMax());
        ByteBuffer header = mapped.slice(0, length);
        String endMeans = length == mapped.size() ? "where the file ends" : "where the longest header may end";
        GgufCursor cursor = new GgufCursor(file, header.duplicate().order(header.order()), endMeans);
        checkMagic(file, cursor);
        int tensorCount = cursor.readCount("tensor count", TENSOR_INFO_BYTES_MIN, TENSORS_MAX);
        int entryCount = cursor.readCount("metadata count", ENTRY_BYTES_MIN, ENTRIES_MAX);
        Map<String, GgufMetadata.Entry> entries = new LinkedHashMap<>();
        for (int i = 0; i < entryCount; i++) {
            readEntry(file, cursor, entries);
        }
        GgufMetadata metadata = new GgufMetadata(file, header, entries);
        int alignment = alignment(metadata);
        List<TensorInfo> infos = new ArrayList<>();
        for (int i = 0; i < tensorCount; i++) {
            infos.add(readTensorInfo(file, cursor, alignment));
        }
        long dataStart = (cursor.offset() + alignment - 1L) / alignment * alignment;
        checkDataRanges(file, mapped.size(), dataStart, infos);
        Map<String, GgufTensor> tensors = new LinkedHashMap<>();
        for (TensorInfo info : infos) {
            GgufTensor tensor =
                    new GgufTensor(info.name(), info.type(), info.shape(), mapped, dataStart + info.offset());
            if (tensors.put(info.name(), tensor) != null) {
                throw invalidAt(file, info.at(), "tensor " + shown(info.name()) + " is in the table twice");
            }
        }
        return new GgufHeader(metadata, tensors, dataStart);
    }

    private static void checkMagic(Path file, GgufCursor cursor) {
        int magic = cursor.readInt("the magic 'GGUF'");
        if (magic != MAGIC) {
            throw invalidAt(file, 0, String.format("expected the magic 'GGUF' (%08x), found %08x", MAGIC, magic));
        }
        int version = cursor.readInt("the version");
        if (version == Integer.reverseBytes(2) || version == Integer.reverseBytes(3)) {
            throw invalidAt(file, 4, "expected a little-endian file, found a big-endian one");
        }
        if (version != 2 && version != 3) {
            throw invalidAt(
                    file, 4, "expected GGUF version 2 or 3, found version " + Integer.toUnsignedString(version));
        }
    }

    private static void readEntry(Path file, GgufCursor cursor, Map<String, GgufMetadata.Entry> entries) {
        int at = cursor.offset();
        String key = cursor.readString("a metadata key", KEY_BYTES_MAX);
        if (key.isEmpty()) {
            throw invalidAt(file, at, "expected a metadata key, found an empty one");
        }
        GgufValueType type = readValueType(cursor, key, true);
        GgufValueType elementType = type;
        int count = 1;
        if (type == GgufValueType.ARRAY) {
            elementType = readValueType(cursor, key, false);
            count = cursor.readCount("element count of " + shown(key), elementType.bytesMin(), ARRAY_ELEMENTS_MAX);
        }
        int valueOffset = cursor.offset();
        if (elementType == GgufValueType.STRING) {
            for (int i = 0; i < count; i++) {
                int bytes = cursor.readCount("length of a string of " + shown(key), 1, STRING_BYTES_MAX);
                cursor.skip(bytes, "a string");
            }
        } else {
            cursor.skip((long) count * elementType.bytesMin(), "the value of " + shown(key));
        }
        GgufMetadata.Entry entry = new GgufMetadata.Entry(type, elementType, count, at, valueOffset, cursor.offset());
        if (entries.put(key, entry) != null) {
            throw invalidAt(file, at, "metadata key " + shown(key) + " occurs twice");
        }
    }

    private static GgufValueType readValueType(GgufCursor cursor, String key, boolean arrayAllowed) {
        int at = cursor.offset();
        int id = cursor.readInt("the value type of " + shown(key));
        GgufValueType type = GgufValueType.byId(id);
        if (type == null) {
            throw cursor.error(
                    at, "metadata key", key, "expected a value type 0 to 12, found " + Integer.toUnsignedString(id));
        }
        if (type == GgufValueType.ARRAY && !arrayAllowed) {
            throw cursor.error(at, "metadata key", key, "expected an array of plain values, found one of arrays");
        }
        return type;
    }

    private static int alignment(GgufMetadata metadata) {
        int alignment = metadata.getInt(ALIGNMENT_KEY, ALIGNMENT_DEFAULT);
        if (alignment <= 0 || alignment > ALIGNMENT_MAX || Integer.bitCount(alignment) != 1) {
            throw metadata.invalidValue(
                    ALIGNMENT_KEY, "expected a power of two up to " + ALIGNMENT_MAX + ", found " + alignment);
        }
        return alignment;
    }

    private static TensorInfo readTensorInfo(Path file, GgufCursor cursor, int alignment) {
        int at = cursor.offset();
        String name = cursor.readString("a tensor's name", TENSOR_NAME_BYTES_MAX);
        if (name.isEmpty()) {
            throw invalidAt(file, at, "expected a tensor's name, found an empty one");
        }
        int dimensionsAt = cursor.offset();
        int dimensionCount = cursor.readInt("the dimension count of tensor " + shown(name));
        if (dimensionCount < 1 || dimensionCount > DIMENSIONS_MAX) {
            throw cursor.error(
                    dimensionsAt,
                    "tensor",
                    name,
                    "expected 1 to 4 dimensions, found " + Integer.toUnsignedString(dimensionCount));
        }
        long[] shape = new long[dimensionCount];
        for (int i = 0; i < dimensionCount; i++) {
            shape[i] = cursor.readLong("dimension " + i + " of tensor " + shown(name));
        }
        int typeAt = cursor.offset();
        int typeId = cursor.readInt("the type of tensor " + shown(name));
        TensorType type = TensorType.byGgmlId(typeId);
        if (type == null) {
            String problem = "expected a type of " + List.of(TensorType.values()) + ", found type id "
                    + Integer.toUnsignedString(typeId);
            throw cursor.error(typeAt, "tensor", name, problem);
        }
        long bytes = tensorBytes(cursor, dimensionsAt, name, type, shape);
        int offsetAt = cursor.offset();
        long offset = cursor.readLong("the data offset of tensor " + shown(name));
        if (offset < 0 || offset % alignment != 0) {
            String problem = "expected a data offset that is a multiple of " + alignment + ", found "
                    + Long.toUnsignedString(offset);
            throw cursor.error(offsetAt, "tensor", name, problem);
        }
        return new TensorInfo(name, at, type, shape, offset, bytes);
    }

    private static long tensorBytes(GgufCursor cursor, int at, String name, TensorType type, long[] shape) {
        long elements = 1;
        for (int i = 0; i < shape.length; i++) {
            if (shape[i] <= 0) {
                String problem = "expected a positive dimension " + i + ", found " + Long.toUnsignedString(shape[i]);
                throw cursor.error(at, "tensor", name, problem);
            }
            if (shape[i] > Long.MAX_VALUE / Long.BYTES / elements) {
                throw cursor.error(
                        at, "tensor", name, "expected dimensions whose product is a possible size, found an overflow");
            }
            elements *= shape[i];
        }
        if (shape[0] % type.blockElements() != 0) {
            String problem = "expected rows of whole blocks of " + type.blockElements() + " for " + type
                    + ", found rows of " + shape[0];
            throw cursor.error(at, "tensor", name, problem);
        }
        return type.bytesFor(elements);
    }

    private static void checkDataRanges(Path file, long fileBytes, long dataStart, List<TensorInfo> infos) {
        List<TensorInfo> sorted = new ArrayList<>(infos);
        sorted.sort(Comparator.comparingLong(TensorInfo::offset));
        long end = 0;
        String before = "";
        for (TensorInfo info : sorted) {
            String subject = "tensor " + shown(info.name()) + ": ";
            if (info.offset() > fileBytes - dataStart - info.bytes()) {
                throw invalidAt(
                        file,
                        info.at(),
                        subject + "expected its " + info.bytes() + " bytes of data from byte " + dataStart + " + "
                                + info.offset() + ", but the file ends at byte " + fileBytes);
            }
            if (info.offset() < end) {
                throw invalidAt(file, info.at(), subject + "its data overlaps that of tensor " + shown(before));
            }
            end = info.offset() + info.bytes();
            before = info.name();
        }
        if (dataStart > fileBytes && infos.isEmpty()) {
            throw invalid(file, "expected padding to byte " + dataStart + ", but the file ends at byte " + fileBytes);
        }
    }
}
