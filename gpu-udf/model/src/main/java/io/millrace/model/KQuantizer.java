package io.millrace.model;

import java.nio.ByteBuffer;

/** Writes the blocks that {@link KQuants} reads. */
final class KQuantizer {
    private static final int SCALES = 4;
    private static final int SIX_BITS_MAX = 63;
    private static final int GROUPS = 8;

    private KQuantizer() {}

    static void quantizeQ4(float[] src, int from, ByteBuffer dst, int at) {
        int[] values = quantizeGroups(src, from, dst, at, 15);
        putNibbles(values, dst, at + 16);
    }

    static void quantizeQ5(float[] src, int from, ByteBuffer dst, int at) {
        int[] values = quantizeGroups(src, from, dst, at, 31);
        for (int i = 0; i < 32; i++) {
            int fifths = 0;
            for (int group = 0; group < GROUPS; group++) {
                fifths |= (values[group * 32 + i] >> 4) << group;
            }
            dst.put(at + 16 + i, (byte) fifths);
        }
        putNibbles(values, dst, at + 48);
    }

    /** Writes scale, minimum and the groups' scales and minimums; returns the 256 values. */
    private static int[] quantizeGroups(float[] src, int from, ByteBuffer dst, int at, int valueMax) {
        float[] scales = new float[GROUPS];
        float[] minimums = new float[GROUPS];
        for (int group = 0; group < GROUPS; group++) {
            float low = 0;
            float high = 0;
            for (int i = 0; i < 32; i++) {
                low = Math.min(low, src[from + group * 32 + i]);
                high = Math.max(high, src[from + group * 32 + i]);
            }
            scales[group] = (high - low) / valueMax;
            minimums[group] = -low;
        }
        float scale = putHalf(dst, at, largest(scales) / SIX_BITS_MAX);
        float minimum = putHalf(dst, at + 2, largest(minimums) / SIX_BITS_MAX);
        int[] values = new int[256];
        int[] scaleBits = new int[GROUPS];
        int[] minimumBits = new int[GROUPS];
        for (int group = 0; group < GROUPS; group++) {
            scaleBits[group] = divide(scales[group], scale, SIX_BITS_MAX);
            minimumBits[group] = divide(minimums[group], minimum, SIX_BITS_MAX);
            float offset = minimum * minimumBits[group];
            for (int i = group * 32; i < group * 32 + 32; i++) {
                values[i] = divide(src[from + i] + offset, scale * scaleBits[group], valueMax);
            }
        }
        putScales(scaleBits, minimumBits, dst, at + SCALES);
        return values;
    }

    private static void putScales(int[] scales, int[] minimums, ByteBuffer dst, int at) {
        for (int i = 0; i < 4; i++) {
            dst.put(at + i, (byte) (scales[i] | (scales[i + 4] >> 4 << 6)));
            dst.put(at + 4 + i, (byte) (minimums[i] | (minimums[i + 4] >> 4 << 6)));
            dst.put(at + 8 + i, (byte) ((scales[i + 4] & 0xF) | ((minimums[i + 4] & 0xF) << 4)));
        }
    }

    private static void putNibbles(int[] values, ByteBuffer dst, int at) {
        for (int pair = 0; pair < 4; pair++) {
            for (int i = 0; i < 32; i++) {
                int low = values[pair * 64 + i] & 0xF;
                int high = values[pair * 64 + 32 + i] & 0xF;
                dst.put(at + pair * 32 + i, (byte) (low | (high << 4)));
            }
        }
    }

    static void quantizeQ6(float[] src, int from, ByteBuffer dst, int at) {
        float[] scales = new float[16];
        for (int i = 0; i < 256; i++) {
            scales[i / 16] = Math.max(scales[i / 16], Math.abs(src[from + i]) / 31);
        }
        float scale = putHalf(dst, at + 208, largest(scales) / 127);
        int[] values = new int[256];
        for (int group = 0; group < 16; group++) {
            int scaleBits = divide(scales[group], scale, 127);
            dst.put(at + 192 + group, (byte) scaleBits);
            float groupScale = scale * scaleBits;
            for (int i = group * 16; i < group * 16 + 16; i++) {
                values[i] = divide(src[from + i] + 32 * groupScale, groupScale, 63);
            }
        }
        for (int half = 0; half < 2; half++) {
            int first = half * 128;
            for (int i = 0; i < 32; i++) {
                int v0 = values[first + i];
                int v1 = values[first + 32 + i];
                int v2 = values[first + 64 + i];
                int v3 = values[first + 96 + i];
                dst.put(at + half * 64 + i, (byte) ((v0 & 0xF) | ((v2 & 0xF) << 4)));
                dst.put(at + half * 64 + 32 + i, (byte) ((v1 & 0xF) | ((v3 & 0xF) << 4)));
                int pairs = (v0 >> 4) | ((v1 >> 4) << 2) | ((v2 >> 4) << 4) | ((v3 >> 4) << 6);
                dst.put(at + 128 + half * 32 + i, (byte) pairs);
            }
        }
    }

    /** Writes a half and returns the value that a reader will see. */
    private static float putHalf(ByteBuffer dst, int at, float value) {
        short bits = Float16.floatToHalf(value);
        dst.putShort(at, bits);
        return Float16.halfToFloat(bits);
    }

    private static int divide(float value, float unit, int max) {
        return unit == 0 ? 0 : Quantizer.clamp(Math.round(value / unit), max);
    }

    private static float largest(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, value);
        }
        return largest;
    }
}
