package io.millrace.model;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes a GGUF file's bytes as a test says, right or wrong. */
final class GgufBytes {
    static final int UINT32 = 4;
    static final int STRING = 8;
    static final int ARRAY = 9;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** Starts a header of version 3. */
    static GgufBytes header(long tensorCount, long metadataCount) {
        return new GgufBytes().text("GGUF").u32(3).u64(tensorCount).u64(metadataCount);
    }

    GgufBytes u32(int value) {
        out.writeBytes(littleEndian(4).putInt(value).array());
        return this;
    }

    GgufBytes u64(long value) {
        out.writeBytes(littleEndian(8).putLong(value).array());
        return this;
    }

    /** Characters without a length. */
    GgufBytes text(String value) {
        out.writeBytes(value.getBytes(StandardCharsets.UTF_8));
        return this;
    }

    GgufBytes string(String value) {
        return u64(value.getBytes(StandardCharsets.UTF_8).length).text(value);
    }

    GgufBytes entry(String key, String value) {
        return string(key).u32(STRING).string(value);
    }

    GgufBytes entry(String key, int value) {
        return string(key).u32(UINT32).u32(value);
    }

    GgufBytes tensor(String name, int typeId, long offset, long... shape) {
        string(name).u32(shape.length);
        for (long dimension : shape) {
            u64(dimension);
        }
        return u32(typeId).u64(offset);
    }

    GgufBytes zeros(int count) {
        out.writeBytes(new byte[count]);
        return this;
    }

    int size() {
        return out.size();
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    private static ByteBuffer littleEndian(int count) {
        return ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    }
}
