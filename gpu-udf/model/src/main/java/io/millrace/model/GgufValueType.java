package io.millrace.model;

import org.jspecify.annotations.Nullable;

/** The type of a metadata value, with its number in GGUF files and the bytes of a value, or of an empty one. */
enum GgufValueType {
    UINT8(0, 1),
    INT8(1, 1),
    UINT16(2, 2),
    INT16(3, 2),
    UINT32(4, 4),
    INT32(5, 4),
    FLOAT32(6, 4),
    BOOL(7, 1),
    STRING(8, 8),
    ARRAY(9, 12),
    UINT64(10, 8),
    INT64(11, 8),
    FLOAT64(12, 8);

    private final int id;
    private final int bytesMin;

    GgufValueType(int id, int bytesMin) {
        this.id = id;
        this.bytesMin = bytesMin;
    }

    static @Nullable GgufValueType byId(int id) {
        for (GgufValueType type : values()) {
            if (type.id == id) {
                return type;
            }
        }
        return null;
    }

    int id() {
        return id;
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
