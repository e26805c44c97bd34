package io.millrace.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Turns floats into stored weights, for models that are written here.
 *
 * <p>F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0 and Q5_1 give the bytes that ggml's reference gives. The K types use the plain
 * scale of each group's range, where ggml searches for a better one.
 */
public final class Quantizer {
    private Quantizer() {}

    /**
     * Quantises whole blocks of finite values.
     *
     * @param dst little-endian; its position is left alone
     * @param elementCount a multiple of the type's block
     */
    public static void quantize(
            TensorType type, float[] src, int srcOffset, ByteBuffer dst, int dstByteOffset, int elementCount) {
        type.bytesFor(elementCount);
        if (dst.order() != ByteOrder.LITTLE_ENDIAN) {
            throw new IllegalArgumentException("the buffer must be little-endian");
        }
        int blocks = elementCount / type.blockElements();
        for (int block = 0; block < blocks; block++) {
            int from = srcOffset + block * type.blockElements();
            int at = dstByteOffset + block * type.blockBytes();
            switch (type) {
                case F32 -> dst.putFloat(at, src[from]);
                case F16 -> dst.putShort(at, Float16.floatToHalf(src[from]));
                case BF16 -> dst.putShort(at, Float16.floatToBfloat(src[from]));
                case Q8_0 -> quantizeQ8(src, from, dst, at);
                case Q4_0 -> quantizeCentred(src, from, dst, at, 8);
                case Q5_0 -> quantizeCentred(src, from, dst, at, 16);
                case Q4_1 -> quantizeWithMinimum(src, from, dst, at, 15);
                case Q5_1 -> quantizeWithMinimum(src, from, dst, at, 31);
                case Q4_K -> KQuantizer.quantizeQ4(src, from, dst, at);
                case Q5_K -> KQuantizer.quantizeQ5(src, from, dst, at);
                case Q6_K -> KQuantizer.quantizeQ6(src, from, dst, at);
            }
        }
    }

    private static void quantizeQ8(float[] src, int from, ByteBuffer dst, int at) {
        float magnitude = 0;
        for (int i = 0; i < 32; i++) {
            magnitude = Math.max(magnitude, Math.abs(src[from + i]));
        }
        float scale = magnitude / 127;
        float inverse = scale == 0 ? 0 : 1 / scale;
        dst.putShort(at, Float16.floatToHalf(scale));
        for (int i = 0; i < 32; i++) {
            dst.put(at + 2 + i, (byte) roundAwayFromZero(src[from + i] * inverse));
        }
    }

    /** The value of largest magnitude becomes exactly {@code -half}. */
    private static void quantizeCentred(float[] src, int from, ByteBuffer dst, int at, int half) {
        float extreme = 0;
        for (int i = 0; i < 32; i++) {
            if (Math.abs(src[from + i]) > Math.abs(extreme)) {
                extreme = src[from + i];
            }
        }
        float scale = extreme / -half;
        float inverse = scale == 0 ? 0 : 1 / scale;
        dst.putShort(at, Float16.floatToHalf(scale));
        int[] values = new int[32];
        for (int i = 0; i < 32; i++) {
            values[i] = clamp((int) (src[from + i] * inverse + (half + 0.5f)), 2 * half - 1);
        }
        pack(values, dst, at + 2, half > 8);
    }

    private static void quantizeWithMinimum(float[] src, int from, ByteBuffer dst, int at, int valueMax) {
        float minimum = src[from];
        float maximum = src[from];
        for (int i = 1; i < 32; i++) {
            minimum = Math.min(minimum, src[from + i]);
            maximum = Math.max(maximum, src[from + i]);
        }
        float scale = (maximum - minimum) / valueMax;
        float inverse = scale == 0 ? 0 : 1 / scale;
        dst.putShort(at, Float16.floatToHalf(scale));
        dst.putShort(at + 2, Float16.floatToHalf(minimum));
        int[] values = new int[32];
        for (int i = 0; i < 32; i++) {
            values[i] = clamp((int) ((src[from + i] - minimum) * inverse + 0.5f), valueMax);
        }
        pack(values, dst, at + 4, valueMax > 15);
    }

    private static void pack(int[] values, ByteBuffer dst, int at, boolean withFifthBits) {
        int nibblesAt = at;
        if (withFifthBits) {
            int fifths = 0;
            for (int i = 0; i < 32; i++) {
                fifths |= (values[i] >> 4) << i;
            }
            dst.putInt(at, fifths);
            nibblesAt += 4;
        }
        for (int i = 0; i < 16; i++) {
            dst.put(nibblesAt + i, (byte) ((values[i] & 0xF) | ((values[i + 16] & 0xF) << 4)));
        }
    }

    static int clamp(int value, int max) {
        return Math.max(0, Math.min(max, value));
    }

    private static int roundAwayFromZero(float value) {
        int whole = (int) Math.floor(Math.abs(value) + 0.5);
        return value < 0 ? -whole : whole;
    }
}
