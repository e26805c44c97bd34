package io.millrace.model;

import org.jspecify.annotations.Nullable;

/** The type of a metadata value, in the order of its number in GGUF files. */
enum GgufValueType {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    STRING(8),
    ARRAY(12),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    private static final GgufValueType[] BY_ID = values();

    private final int bytesMin;

    GgufValueType(int bytesMin) {
        this.bytesMin = bytesMin;
    }

    static @Nullable GgufValueType byId(int id) {
        return id >= 0 && id < BY_ID.length ? BY_ID[id] : null;
    }

    int id() {
        return ordinal();
    }

    /** Bytes of a value; of an empty one for strings and arrays. */
    int bytesMin() {
        return bytesMin;
    }

    boolean isInteger() {
        return switch (this) {
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
            case FLOAT32, BOOL, STRING, ARRAY, FLOAT64 -> false;
        };
    }

    boolean isFloat() {
        return this == FLOAT32 || this == FLOAT64;
    }
}
