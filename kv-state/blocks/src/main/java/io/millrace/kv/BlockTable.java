package io.millrace.kv;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;

/**
 * The blocks that hold one sequence's keys and values: entry i those of positions {@code i * blockSizeTokens} and
 * following. Holds one use of each of its blocks. Used by one thread, that of its pool.
 */
public final class BlockTable {
    private static final int INITIAL_BLOCKS = 8;

    private final BlockPool pool;
    private final int blockSizeTokens;
    private final String owner;
    private int[] blockIds = new int[INITIAL_BLOCKS];
    private int blockCount;

    /**
     * An empty table.
     *
     * @param owner whose sequence it is: a block that two owners use counts as shared
     */
    public BlockTable(BlockPool pool, int blockSizeTokens, String owner) {
        this.pool = requireNonNull(pool, "pool");
        this.blockSizeTokens = blockSizeTokens;
        this.owner = requireNonNull(owner, "owner");
    }

    /** Blocks that so many tokens need. */
    public static int blocksFor(int tokenCount, int blockSizeTokens) {
        return (tokenCount + blockSizeTokens - 1) / blockSizeTokens;
    }

    /** Number of blocks. */
    public int blockCount() {
        return blockCount;
    }

    /** The block of entry i. */
    public int blockId(int index) {
        return blockIds[checkEntry(index)];
    }

    /** Blocks missing until the table has room for so many tokens. */
    public int missingBlocks(int tokenCount) {
        return Math.max(0, blocksFor(tokenCount, blockSizeTokens) - blockCount);
    }

    /** Takes blocks until there is room for so many tokens: all that are missing, or none and returns false. */
    public boolean reserve(int tokenCount) {
        int missingBlocks = missingBlocks(tokenCount);
        if (missingBlocks > pool.freeCount()) {
            return false;
        }
        for (int i = 0; i < missingBlocks; i++) {
            append(pool.allocate());
        }
        return true;
    }

    /** Appends a full block that was found in the prefix index. */
    public void share(int blockId) {
        pool.retain(blockId, owner);
        append(blockId);
    }

    /** Makes the block of entry i, which is full now, findable. The entry may become another block of equal content. */
    public void publish(int index, BlockHash hash) {
        blockIds[checkEntry(index)] = pool.publish(blockIds[index], hash, owner);
    }

    /** Makes what these blocks hold unfindable, because it is not to be trusted. */
    public void withdrawAll() {
        for (int i = 0; i < blockCount; i++) {
            pool.withdraw(blockIds[i]);
        }
    }

    /** Where a position's keys and values lie: {@code blockId * blockSizeTokens + offset}. */
    public int slot(int position) {
        return blockId(position / blockSizeTokens) * blockSizeTokens + position % blockSizeTokens;
    }

    /** Whether a position's slot may be written. */
    public boolean isWritable(int position) {
        return pool.isWritable(blockId(position / blockSizeTokens));
    }

    /** Copies the first block ids to {@code target[from ..]}. */
    public void copyTo(int[] target, int from, int count) {
        System.arraycopy(blockIds, 0, target, from, count == 0 ? 0 : checkEntry(count - 1) + 1);
    }

    /** Gives all blocks back. The end of the sequence goes first, so that of a free chain the end is reused first. */
    public void releaseAll() {
        truncate(0);
    }

    /** Gives the blocks behind the first so many back, the last one first. */
    public void truncate(int keptBlocks) {
        while (blockCount > keptBlocks) {
            blockCount--;
            pool.release(blockIds[blockCount]);
        }
    }

    private void append(int blockId) {
        if (blockCount == blockIds.length) {
            blockIds = Arrays.copyOf(blockIds, blockCount * 2);
        }
        blockIds[blockCount] = blockId;
        blockCount++;
    }

    private int checkEntry(int index) {
        if (index < 0 || index >= blockCount) {
            throw new IndexOutOfBoundsException("entry " + index + " of a block table of " + blockCount);
        }
        return index;
    }
}
