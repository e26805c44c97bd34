package io.millrace.backend.cuda.weights;

import io.millrace.model.Float16;
import io.millrace.model.TensorType;
import java.nio.ByteBuffer;

/** Reads 32 four-bit weights, their scale and their minimum, from the three types of files that have them. */
final class NibbleBlocks {
    private static final int SUPERBLOCK_GROUPS = 8;
    private static final int SUPERBLOCK_SCALES = 4;
    private static final int SUPERBLOCK_NIBBLES = 16;

    private NibbleBlocks() {}

    /** A weight is {@code scale * value + minimum}. */
    record Scale(float scale, float minimum) {}

    /** Reads the values, 0 to 15, of columns 32 {@code index} on into {@code values}. */
    static Scale read(TensorType type, ByteBuffer row, int index, byte[] values) {
        return switch (type) {
            case Q4_0 -> {
                int at = index * type.blockBytes();
                readBlock(row, at + 2, values);
                float scale = Float16.halfToFloat(row.getShort(at));
                yield new Scale(scale, -8 * scale);
            }
            case Q4_1 -> {
                int at = index * type.blockBytes();
                readBlock(row, at + 4, values);
                yield new Scale(Float16.halfToFloat(row.getShort(at)), Float16.halfToFloat(row.getShort(at + 2)));
            }
            case Q4_K ->
                readGroup(row, index / SUPERBLOCK_GROUPS * type.blockBytes(), index % SUPERBLOCK_GROUPS, values);
            case F32, F16, BF16, Q8_0, Q5_0, Q5_1, Q5_K, Q6_K -> throw new IllegalArgumentException(type.toString());
        };
    }

    private static void readBlock(ByteBuffer row, int at, byte[] values) {
        for (int i = 0; i < 16; i++) {
            int pair = row.get(at + i);
            values[i] = (byte) (pair & 0xF);
            values[i + 16] = (byte) (pair >> 4 & 0xF);
        }
    }

    private static Scale readGroup(ByteBuffer row, int at, int group, byte[] values) {
        int nibbles = at + SUPERBLOCK_NIBBLES + group / 2 * 32;
        int shift = group % 2 * 4;
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) (row.get(nibbles + i) >> shift & 0xF);
        }
        float scale = Float16.halfToFloat(row.getShort(at));
        float minimum = Float16.halfToFloat(row.getShort(at + 2));
        int packed = at + SUPERBLOCK_SCALES;
        return new Scale(scale * scale(row, packed, group), -(minimum * minimum(row, packed, group)));
    }

    /** The 6-bit scale of a group; 12 bytes hold eight scales and eight minimums. */
    private static int scale(ByteBuffer row, int at, int group) {
        return group < 4
                ? row.get(at + group) & 0x3F
                : row.get(at + group + 4) & 0xF | (row.get(at + group - 4) & 0xC0) >> 2;
    }

    private static int minimum(ByteBuffer row, int at, int group) {
        return group < 4
                ? row.get(at + group + 4) & 0x3F
                : row.get(at + group + 4) >> 4 & 0xF | (row.get(at + group) & 0xC0) >> 2;
    }
}
