package io.millrace.kv;

/** What a KV block holds each element of a key or a value as. */
public enum KvElementType {
    /** IEEE 754 single precision. */
    F32(4),
    /** The upper half of a single precision number. */
    BF16(2),
    /** IEEE 754 half precision. */
    F16(2);

    private final int bytes;

    KvElementType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of an element. */
    public int bytes() {
        return bytes;
    }
}
