package io.millrace.backend.cpu.kernel;

import io.millrace.model.Float16;
import io.millrace.model.TensorType;
import java.nio.ByteBuffer;

/**
 * One row of a quantised tensor, taken apart: quants, and the scales and minimums of its groups. Element i is {@code
 * quants[i] * scales[i / group] + minimums[i / group]} rounded once, which is what {@link
 * io.millrace.model.Dequantizer} gives: the product is exact, having at most 24 significant bits (11 of a half, 6 or
 * 7 of a group's scale, 6 of a quant).
 */
final class QuantizedRow {
    final byte[] quants;
    final float[] scales;
    final float[] minimums;
    private final TensorType type;

    QuantizedRow(TensorType type, int columnCount) {
        this.type = type;
        this.quants = new byte[columnCount];
        this.scales = new float[columnCount / groupColumns(type)];
        this.minimums = new float[scales.length];
    }

    /** Elements that share a scale. */
    static int groupColumns(TensorType type) {
        return type == TensorType.Q6_K ? 16 : 32;
    }

    /** How a type is packed: four bits where quants have four, bytes where they have more. */
    static PackedMatrix.Layout layout(TensorType type) {
        return switch (type) {
            case F32, F16, BF16 -> PackedMatrix.Layout.FLOAT;
            case Q4_0, Q4_1, Q4_K -> PackedMatrix.Layout.NIBBLE;
            case Q8_0, Q5_0, Q5_1, Q5_K, Q6_K -> PackedMatrix.Layout.BYTE;
        };
    }

    /** Whether groups have minimums. Those of Q4_0 are minus eight scales: its nibbles are kept without their sign. */
    static boolean hasMinimum(TensorType type) {
        return switch (type) {
            case F32, F16, BF16, Q8_0, Q5_0, Q6_K -> false;
            case Q4_0, Q4_1, Q4_K, Q5_1, Q5_K -> true;
        };
    }

    /** Takes the row apart that starts at a byte of {@code src}. */
    void read(ByteBuffer src, int at) {
        int blocks = quants.length / type.blockElements();
        for (int block = 0; block < blocks; block++) {
            int from = at + block * type.blockBytes();
            switch (type) {
                case Q8_0 -> readQ8(src, from, block);
                case Q4_0 -> readQ4(src, from, block);
                case Q4_1 -> readQ4WithMinimum(src, from, block);
                case Q5_0 -> readQ5(src, from, block);
                case Q5_1 -> readQ5WithMinimum(src, from, block);
                case Q4_K -> readQ4K(src, from, block);
                case Q5_K -> readQ5K(src, from, block);
                case Q6_K -> readQ6K(src, from, block);
                case F32, F16, BF16 -> throw new IllegalStateException(type + " has no quants");
            }
        }
    }

    private void readQ8(ByteBuffer src, int at, int block) {
        scales[block] = half(src, at);
        src.get(at + 2, quants, block * 32, 32);
    }

    private void readQ4(ByteBuffer src, int at, int block) {
        scales[block] = half(src, at);
        minimums[block] = -8 * scales[block];
        readNibbles(src, at + 2, block * 32);
    }

    private void readQ4WithMinimum(ByteBuffer src, int at, int block) {
        scales[block] = half(src, at);
        minimums[block] = half(src, at + 2);
        readNibbles(src, at + 4, block * 32);
    }

    private void readQ5(ByteBuffer src, int at, int block) {
        scales[block] = half(src, at);
        readNibbles(src, at + 6, block * 32);
        int fifths = src.getInt(at + 2);
        for (int i = 0; i < 32; i++) {
            quants[block * 32 + i] += (byte) ((((fifths >>> i) & 1) << 4) - 16);
        }
    }

    private void readQ5WithMinimum(ByteBuffer src, int at, int block) {
        scales[block] = half(src, at);
        minimums[block] = half(src, at + 2);
        readNibbles(src, at + 8, block * 32);
        int fifths = src.getInt(at + 4);
        for (int i = 0; i < 32; i++) {
            quants[block * 32 + i] += (byte) (((fifths >>> i) & 1) << 4);
        }
    }

    /** 16 bytes: their low nibbles are the first half of a block, the high ones the second. */
    private void readNibbles(ByteBuffer src, int at, int to) {
        for (int i = 0; i < 16; i++) {
            int pair = src.get(at + i);
            quants[to + i] = (byte) (pair & 0xF);
            quants[to + 16 + i] = (byte) ((pair >> 4) & 0xF);
        }
    }

    private void readQ4K(ByteBuffer src, int at, int block) {
        readSixBitScales(src, at, block);
        for (int i = 0; i < 256; i++) {
            int group = i / 32;
            int pair = src.get(at + 16 + group / 2 * 32 + i % 32);
            quants[block * 256 + i] = (byte) ((pair >> (group % 2 * 4)) & 0xF);
        }
    }

    private void readQ5K(ByteBuffer src, int at, int block) {
        readSixBitScales(src, at, block);
        for (int i = 0; i < 256; i++) {
            int group = i / 32;
            int pair = src.get(at + 48 + group / 2 * 32 + i % 32);
            int fifth = (src.get(at + 16 + i % 32) >> group) & 1;
            quants[block * 256 + i] = (byte) (((pair >> (group % 2 * 4)) & 0xF) | (fifth << 4));
        }
    }

    /** Two halves, then eight scales and eight minimums of six bits in twelve bytes. */
    private void readSixBitScales(ByteBuffer src, int at, int block) {
        float scale = half(src, at);
        float minimum = half(src, at + 2);
        int packed = at + 4;
        for (int group = 0; group < 8; group++) {
            int groupScale;
            int groupMinimum;
            if (group < 4) {
                groupScale = src.get(packed + group) & 0x3F;
                groupMinimum = src.get(packed + 4 + group) & 0x3F;
            } else {
                int shared = src.get(packed + 4 + group);
                groupScale = (shared & 0xF) | ((src.get(packed + group - 4) >> 2) & 0x30);
                groupMinimum = ((shared >> 4) & 0xF) | ((src.get(packed + group) >> 2) & 0x30);
            }
            scales[block * 8 + group] = scale * groupScale;
            minimums[block * 8 + group] = -(minimum * groupMinimum);
        }
    }

    private void readQ6K(ByteBuffer src, int at, int block) {
        float scale = half(src, at + 208);
        for (int group = 0; group < 16; group++) {
            scales[block * 16 + group] = scale * src.get(at + 192 + group);
        }
        for (int i = 0; i < 256; i++) {
            int run = i / 32;
            int half = run / 4;
            int part = run % 4;
            int low = (src.get(at + half * 64 + part % 2 * 32 + i % 32) >> (part / 2 * 4)) & 0xF;
            int high = (src.get(at + 128 + half * 32 + i % 32) >> (part * 2)) & 3;
            quants[block * 256 + i] = (byte) ((low | (high << 4)) - 32);
        }
    }

    private static float half(ByteBuffer src, int at) {
        return Float16.halfToFloat(src.getShort(at));
    }
}
