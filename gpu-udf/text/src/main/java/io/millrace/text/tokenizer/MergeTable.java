package io.millrace.text.tokenizer;

import java.util.Arrays;

/** What each pair of symbols merges to: an open-addressing hash table from two ints to a rank and an int. */
final class MergeTable {
    private static final long EMPTY = -1;

    private final long[] keys;
    private final long[] values;
    private final int shift;

    MergeTable(int capacity) {
        int bits = Math.max(4, 33 - Integer.numberOfLeadingZeros(Math.max(1, capacity)));
        keys = new long[1 << bits];
        values = new long[1 << bits];
        shift = 64 - bits;
        Arrays.fill(keys, EMPTY);
    }

    /** Adds a merge, unless its pair has one: the first, more important one counts. At most {@code capacity} calls. */
    void add(int left, int right, int rank, int merged) {
        long key = key(left, right);
        int slot = slot(key);
        if (keys[slot] == EMPTY) {
            keys[slot] = key;
            values[slot] = (long) rank << 32 | merged;
        }
    }

    /** Returns {@code rank << 32 | merged symbol}, or {@link MergeSession#NONE}. */
    long find(int left, int right) {
        if ((left | right) < 0) {
            return MergeSession.NONE;
        }
        int slot = slot(key(left, right));
        return keys[slot] == EMPTY ? MergeSession.NONE : values[slot];
    }

    private int slot(long key) {
        int slot = (int) (key * 0x9E3779B97F4A7C15L >>> shift);
        while (keys[slot] != EMPTY && keys[slot] != key) {
            slot = (slot + 1) & (keys.length - 1);
        }
        return slot;
    }

    private static long key(int left, int right) {
        return (long) left << 32 | right;
    }
}
