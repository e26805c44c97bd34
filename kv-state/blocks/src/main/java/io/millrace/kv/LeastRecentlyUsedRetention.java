package io.millrace.kv;

import java.util.Arrays;

/**
 * Reuses the block first that has been free for the longest time; blocks without findable content before all others.
 *
 * <pre>
 *   a ring of links through one sentinel, whose index is blockCount:
 *   sentinel -> reused first -> ... -> reused last -> sentinel
 * </pre>
 */
public final class LeastRecentlyUsedRetention implements RetentionOrder {
    private static final int ABSENT = -1;

    private final int sentinel;
    private final int[] next;
    private final int[] previous;
    private int size;

    /** An order for blocks 0 to {@code blockCount}, exclusive; empty. */
    public LeastRecentlyUsedRetention(int blockCount) {
        sentinel = blockCount;
        next = new int[blockCount + 1];
        previous = new int[blockCount + 1];
        Arrays.fill(next, ABSENT);
        Arrays.fill(previous, ABSENT);
        next[sentinel] = sentinel;
        previous[sentinel] = sentinel;
    }

    @Override
    public boolean keepsContent() {
        return true;
    }

    @Override
    public void add(int blockId, boolean findable) {
        if (contains(blockId)) {
            throw new IllegalStateException("block " + blockId + " is free already");
        }
        int before = findable ? previous[sentinel] : sentinel;
        int after = next[before];
        next[before] = blockId;
        previous[blockId] = before;
        next[blockId] = after;
        previous[after] = blockId;
        size++;
    }

    @Override
    public void remove(int blockId) {
        if (!contains(blockId)) {
            throw new IllegalStateException("block " + blockId + " is not free");
        }
        next[previous[blockId]] = next[blockId];
        previous[next[blockId]] = previous[blockId];
        next[blockId] = ABSENT;
        previous[blockId] = ABSENT;
        size--;
    }

    @Override
    public int removeNext() {
        int blockId = next[sentinel];
        if (blockId == sentinel) {
            return BlockPool.NONE;
        }
        remove(blockId);
        return blockId;
    }

    @Override
    public boolean contains(int blockId) {
        return next[blockId] != ABSENT;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public void checkIntegrity() {
        int count = 0;
        for (int at = next[sentinel]; at != sentinel; at = next[at]) {
            if (previous[next[at]] != at || count++ > sentinel) {
                throw new IllegalStateException("the free list is broken at block " + at);
            }
        }
        if (count != size) {
            throw new IllegalStateException("the free list links " + count + " blocks, and counts " + size);
        }
    }
}
