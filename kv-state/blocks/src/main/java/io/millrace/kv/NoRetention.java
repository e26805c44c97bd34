package io.millrace.kv;

import java.util.Arrays;

/**
 * Drops every block's content as soon as nobody uses it: the prefix cache then only joins sequences that run together.
 */
public final class NoRetention implements RetentionOrder {
    private static final int ABSENT = -1;

    /** The free blocks, reused from the end. */
    private final int[] stack;

    /** Where a block is in the stack. */
    private final int[] indexOf;

    private int size;

    /** An order for blocks 0 to {@code blockCount}, exclusive; empty. */
    public NoRetention(int blockCount) {
        stack = new int[blockCount];
        indexOf = new int[blockCount];
        Arrays.fill(indexOf, ABSENT);
    }

    @Override
    public boolean keepsContent() {
        return false;
    }

    @Override
    public void add(int blockId, boolean findable) {
        if (contains(blockId)) {
            throw new IllegalStateException("block " + blockId + " is free already");
        }
        stack[size] = blockId;
        indexOf[blockId] = size;
        size++;
    }

    @Override
    public void remove(int blockId) {
        if (!contains(blockId)) {
            throw new IllegalStateException("block " + blockId + " is not free");
        }
        int hole = indexOf[blockId];
        int last = stack[size - 1];
        stack[hole] = last;
        indexOf[last] = hole;
        indexOf[blockId] = ABSENT;
        size--;
    }

    @Override
    public int removeNext() {
        if (size == 0) {
            return BlockPool.NONE;
        }
        int blockId = stack[size - 1];
        remove(blockId);
        return blockId;
    }

    @Override
    public boolean contains(int blockId) {
        return indexOf[blockId] != ABSENT;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public void checkIntegrity() {
        for (int i = 0; i < size; i++) {
            if (indexOf[stack[i]] != i) {
                throw new IllegalStateException("block " + stack[i] + " is not where it says");
            }
        }
    }
}
