package io.millrace.model;

import org.jspecify.annotations.Nullable;

/** How a tensor's elements are stored: blocks of a fixed number of elements in a fixed number of bytes. */
public enum TensorType {
    /** IEEE 754 single. */
    F32(0, 1, 4),
    /** IEEE 754 half. */
    F16(1, 1, 2),
    /** Upper half of an IEEE 754 single. */
    BF16(30, 1, 2),
    /** Half scale; 32 signed bytes. */
    Q8_0(8, 32, 34),
    /** Half scale; 32 nibbles less 8. */
    Q4_0(2, 32, 18),
    /** Half scale, half minimum; 32 nibbles. */
    Q4_1(3, 32, 20),
    /** Half scale; 32 fifth bits; 32 nibbles; less 16. */
    Q5_0(6, 32, 22),
    /** Half scale, half minimum; 32 fifth bits; 32 nibbles. */
    Q5_1(7, 32, 24),
    /** Half scale and minimum; eight 6-bit scales and minimums; 256 nibbles. */
    Q4_K(12, 256, 144),
    /** Half scale and minimum; eight 6-bit scales and minimums; 256 fifth bits; 256 nibbles. */
    Q5_K(13, 256, 176),
    /** 256 nibbles; 256 upper bit pairs; sixteen signed byte scales; half scale. */
    Q6_K(14, 256, 210);

    private final int ggmlId;
    private final int blockElements;
    private final int blockBytes;

    TensorType(int ggmlId, int blockElements, int blockBytes) {
        this.ggmlId = ggmlId;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    /** Returns the type with this number in GGUF files, or null where it is not supported. */
    public static @Nullable TensorType byGgmlId(int ggmlId) {
        for (TensorType type : values()) {
            if (type.ggmlId == ggmlId) {
                return type;
            }
        }
        return null;
    }

    /** The type's number in GGUF files. */
    public int ggmlId() {
        return ggmlId;
    }

    /** Elements in a block; 1 where elements stand alone. */
    public int blockElements() {
        return blockElements;
    }

    /** Bytes of a block. */
    public int blockBytes() {
        return blockBytes;
    }

    /** Whether a block has a scale of its own. */
    public boolean isQuantized() {
        return blockElements > 1;
    }

    /**
     * Bytes that so many elements take.
     *
     * @throws ArithmeticException if they are more than a long can count
     * @throws IllegalArgumentException if they are not whole blocks
     */
    public long bytesFor(long elementCount) {
        if (elementCount < 0 || elementCount % blockElements != 0) {
            throw new IllegalArgumentException(
                    this + " needs a multiple of " + blockElements + " elements, not " + elementCount);
        }
        return Math.multiplyExact(elementCount / blockElements, (long) blockBytes);
    }
}
