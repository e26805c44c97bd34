package io.millrace.model;

import java.nio.ByteBuffer;

/**
 * Blocks of 256 elements with scales in two levels.
 *
 * <p>Q4_K and Q5_K have eight groups of 32 elements, each with a 6-bit scale and a 6-bit minimum that the block's half
 * scales stretch. The 16 six-bit numbers lie in 12 bytes: the first four scales and the first four minimums in the low
 * six bits of bytes 0 to 3 and 4 to 7; of the other four, the low nibbles of scale and minimum share bytes 8 to 11, and
 * the upper two bits are those that bytes 0 to 7 have left over.
 */
final class KQuants {
    private static final int SCALES = 4;

    private KQuants() {}

    /** The 6-bit scale of a group, from the 12 bytes at {@code at}. */
    static int scale(ByteBuffer src, int at, int group) {
        return group < 4
                ? src.get(at + group) & 0x3F
                : (src.get(at + group + 4) & 0xF) | ((src.get(at + group - 4) & 0xC0) >> 2);
    }

    /** The 6-bit minimum of a group, from the 12 bytes at {@code at}. */
    static int minimum(ByteBuffer src, int at, int group) {
        return group < 4
                ? src.get(at + group + 4) & 0x3F
                : ((src.get(at + group + 4) >> 4) & 0xF) | ((src.get(at + group) & 0xC0) >> 2);
    }

    /** Scale, minimum, 12 bytes of group scales, 128 bytes of nibbles: 32 bytes hold two groups. */
    static void dequantizeQ4(ByteBuffer src, int at, float[] dst, int to) {
        float scale = Float16.halfToFloat(src.getShort(at));
        float minimum = Float16.halfToFloat(src.getShort(at + 2));
        for (int group = 0; group < 8; group++) {
            float groupScale = scale * scale(src, at + SCALES, group);
            float groupMinimum = minimum * minimum(src, at + SCALES, group);
            int nibbles = at + 16 + group / 2 * 32;
            int shift = group % 2 * 4;
            for (int i = 0; i < 32; i++) {
                int value = (src.get(nibbles + i) >> shift) & 0xF;
                dst[to + group * 32 + i] = groupScale * value - groupMinimum;
            }
        }
    }

    /** As Q4_K with 32 bytes of fifth bits before the nibbles: bit g of byte i belongs to element i of group g. */
    static void dequantizeQ5(ByteBuffer src, int at, float[] dst, int to) {
        float scale = Float16.halfToFloat(src.getShort(at));
        float minimum = Float16.halfToFloat(src.getShort(at + 2));
        for (int group = 0; group < 8; group++) {
            float groupScale = scale * scale(src, at + SCALES, group);
            float groupMinimum = minimum * minimum(src, at + SCALES, group);
            int nibbles = at + 48 + group / 2 * 32;
            int shift = group % 2 * 4;
            for (int i = 0; i < 32; i++) {
                int fifth = (src.get(at + 16 + i) >> group) & 1;
                int value = ((src.get(nibbles + i) >> shift) & 0xF) | (fifth << 4);
                dst[to + group * 32 + i] = groupScale * value - groupMinimum;
            }
        }
    }

    /**
     * 128 bytes of nibbles, 64 of upper bit pairs, 16 signed scales of 16 elements each, a half scale.
     *
     * <p>Each half of 128 elements is four runs of 32: runs 0 and 1 are the low nibbles of its 64 bytes, runs 2 and 3
     * the high ones; run r's upper bits are pair r of its 32 bytes.
     */
    static void dequantizeQ6(ByteBuffer src, int at, float[] dst, int to) {
        float scale = Float16.halfToFloat(src.getShort(at + 208));
        for (int run = 0; run < 8; run++) {
            int half = run / 4;
            int part = run % 4;
            int nibbles = at + half * 64 + part % 2 * 32;
            int pairs = at + 128 + half * 32;
            for (int i = 0; i < 32; i++) {
                float groupScale = scale * src.get(at + 192 + run * 2 + i / 16);
                int low = (src.get(nibbles + i) >> (part / 2 * 4)) & 0xF;
                int high = (src.get(pairs + i) >> (part * 2)) & 3;
                dst[to + run * 32 + i] = groupScale * ((low | (high << 4)) - 32);
            }
        }
    }
}
