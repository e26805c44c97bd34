package io.millrace.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Turns stored weights into floats.
 *
 * <p>The formulas are ggml's, with each product and sum rounded to a float in ggml's order, so results are equal to its
 * reference bit for bit. Of a block's elements the first half are the low nibbles, the second half the high ones.
 */
public final class Dequantizer {
    private Dequantizer() {}

    /**
     * Dequantises one row of a tensor.
     *
     * @param dst gets {@code tensor.rowLength()} floats from {@code dstOffset}
     */
    public static void dequantizeRow(GgufTensor tensor, long row, float[] dst, int dstOffset) {
        dequantize(tensor.type(), tensor.rows(row, 1), 0, dst, dstOffset, Math.toIntExact(tensor.rowLength()));
    }

    /**
     * Dequantises whole blocks.
     *
     * @param src little-endian bytes; its position is left alone and not added to {@code srcByteOffset}
     * @param elementCount a multiple of the type's block
     */
    public static void dequantize(
            TensorType type, ByteBuffer src, int srcByteOffset, float[] dst, int dstOffset, int elementCount) {
        long bytes = type.bytesFor(elementCount);
        if (srcByteOffset < 0 || bytes > src.limit() - srcByteOffset) {
            throw new IndexOutOfBoundsException(
                    bytes + " bytes from " + srcByteOffset + " of a buffer of " + src.limit());
        }
        if (dstOffset < 0 || elementCount > dst.length - dstOffset) {
            throw new IndexOutOfBoundsException(
                    elementCount + " floats from " + dstOffset + " of an array of " + dst.length);
        }
        if (src.order() != ByteOrder.LITTLE_ENDIAN) {
            throw new IllegalArgumentException("the buffer must be little-endian");
        }
        switch (type) {
            case F32 -> copyFloats(src, srcByteOffset, dst, dstOffset, elementCount);
            case F16 -> expandHalves(src, srcByteOffset, dst, dstOffset, elementCount);
            case BF16 -> expandBfloats(src, srcByteOffset, dst, dstOffset, elementCount);
            case Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K -> {
                int blocks = elementCount / type.blockElements();
                for (int block = 0; block < blocks; block++) {
                    dequantizeBlock(
                            type,
                            src,
                            srcByteOffset + block * type.blockBytes(),
                            dst,
                            dstOffset + block * type.blockElements());
                }
            }
        }
    }

    private static void dequantizeBlock(TensorType type, ByteBuffer src, int at, float[] dst, int to) {
        switch (type) {
            case Q8_0 -> dequantizeQ8(src, at, dst, to);
            case Q4_0 -> dequantizeQ4(src, at, dst, to);
            case Q4_1 -> dequantizeQ4WithMinimum(src, at, dst, to);
            case Q5_0 -> dequantizeQ5(src, at, dst, to);
            case Q5_1 -> dequantizeQ5WithMinimum(src, at, dst, to);
            case Q4_K -> KQuants.dequantizeQ4(src, at, dst, to);
            case Q5_K -> KQuants.dequantizeQ5(src, at, dst, to);
            case Q6_K -> KQuants.dequantizeQ6(src, at, dst, to);
            case F32, F16, BF16 -> throw new IllegalArgumentException(type.toString());
        }
    }

    private static void copyFloats(ByteBuffer src, int at, float[] dst, int to, int count) {
        for (int i = 0; i < count; i++) {
            dst[to + i] = src.getFloat(at + 4 * i);
        }
    }

    private static void expandHalves(ByteBuffer src, int at, float[] dst, int to, int count) {
        for (int i = 0; i < count; i++) {
            dst[to + i] = Float16.halfToFloat(src.getShort(at + 2 * i));
        }
    }

    private static void expandBfloats(ByteBuffer src, int at, float[] dst, int to, int count) {
        for (int i = 0; i < count; i++) {
            dst[to + i] = Float16.bfloatToFloat(src.getShort(at + 2 * i));
        }
    }

    private static void dequantizeQ8(ByteBuffer src, int at, float[] dst, int to) {
        float scale = Float16.halfToFloat(src.getShort(at));
        for (int i = 0; i < 32; i++) {
            dst[to + i] = src.get(at + 2 + i) * scale;
        }
    }

    private static void dequantizeQ4(ByteBuffer src, int at, float[] dst, int to) {
        float scale = Float16.halfToFloat(src.getShort(at));
        for (int i = 0; i < 16; i++) {
            int pair = src.get(at + 2 + i);
            dst[to + i] = ((pair & 0xF) - 8) * scale;
            dst[to + i + 16] = (((pair >> 4) & 0xF) - 8) * scale;
        }
    }

    private static void dequantizeQ4WithMinimum(ByteBuffer src, int at, float[] dst, int to) {
        float scale = Float16.halfToFloat(src.getShort(at));
        float minimum = Float16.halfToFloat(src.getShort(at + 2));
        for (int i = 0; i < 16; i++) {
            int pair = src.get(at + 4 + i);
            dst[to + i] = (pair & 0xF) * scale + minimum;
            dst[to + i + 16] = ((pair >> 4) & 0xF) * scale + minimum;
        }
    }

    private static void dequantizeQ5(ByteBuffer src, int at, float[] dst, int to) {
        float scale = Float16.halfToFloat(src.getShort(at));
        int fifths = src.getInt(at + 2);
        for (int i = 0; i < 16; i++) {
            int pair = src.get(at + 6 + i);
            dst[to + i] = (fiveBits(pair, fifths >>> i) - 16) * scale;
            dst[to + i + 16] = (fiveBits(pair >> 4, fifths >>> (i + 16)) - 16) * scale;
        }
    }

    private static void dequantizeQ5WithMinimum(ByteBuffer src, int at, float[] dst, int to) {
        float scale = Float16.halfToFloat(src.getShort(at));
        float minimum = Float16.halfToFloat(src.getShort(at + 2));
        int fifths = src.getInt(at + 4);
        for (int i = 0; i < 16; i++) {
            int pair = src.get(at + 8 + i);
            dst[to + i] = fiveBits(pair, fifths >>> i) * scale + minimum;
            dst[to + i + 16] = fiveBits(pair >> 4, fifths >>> (i + 16)) * scale + minimum;
        }
    }

    private static int fiveBits(int nibble, int fifth) {
        return (nibble & 0xF) | ((fifth & 1) << 4);
    }
}
