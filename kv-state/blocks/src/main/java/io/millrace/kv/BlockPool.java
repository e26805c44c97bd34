package io.millrace.kv;

import static java.util.Objects.requireNonNull;

import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The KV blocks of one device: who uses them, what they hold, and which is reused next. All memory is taken at the
 * start. The life of a block:
 *
 * <pre>
 *                  allocate                    publish
 *   free, empty ------------> used, writable ----------> used, findable, never written again
 *        ^                          |                       |        ^
 *        |  release                 |               release |        | retain (a prefix hit)
 *        +--------------------------+                       v        |
 *   used again by allocate (an eviction) <------------- free, findable
 * </pre>
 *
 * <p>Used by one thread. Only the index may be read by others.
 */
public final class BlockPool {
    /** No block. */
    public static final int NONE = -1;

    private final int[] refCounts;
    private final @Nullable BlockHash[] hashes;
    /** Who used a findable block first since it is here. */
    private final @Nullable String[] owners;

    /** Findable blocks that others than their owners used since they are here. */
    private final BitSet sharedBlocks;

    private final RetentionOrder retention;
    private final PrefixIndex index;
    private long hitBlocks;
    private long missedBlocks;
    private long evictedBlocks;
    private long duplicateBlocks;

    /**
     * A pool of free, empty blocks.
     *
     * @param retention an empty order for as many blocks
     */
    public BlockPool(int blockCount, RetentionOrder retention) {
        if (blockCount <= 0) {
            throw new IllegalArgumentException("blockCount must be positive: " + blockCount);
        }
        this.retention = requireNonNull(retention, "retention");
        refCounts = new int[blockCount];
        hashes = new BlockHash[blockCount];
        owners = new String[blockCount];
        sharedBlocks = new BitSet(blockCount);
        index = new PrefixIndex(blockCount);
        // Empty blocks go to the front, so that block 0 is taken first.
        for (int blockId = blockCount - 1; blockId >= 0; blockId--) {
            retention.add(blockId, false);
        }
    }

    /** Number of blocks; their ids are 0 to this, exclusive. */
    public int blockCount() {
        return refCounts.length;
    }

    /** Number of blocks that {@link #allocate} can give. */
    public int freeCount() {
        return retention.size();
    }

    /** The index of full blocks. */
    public PrefixIndex index() {
        return index;
    }

    /** Uses of a block. */
    public int refCount(int blockId) {
        return refCounts[blockId];
    }

    /** Whether the one user of a block may write to it: a findable or a shared block is never written. */
    public boolean isWritable(int blockId) {
        return refCounts[blockId] == 1 && hashes[blockId] == null;
    }

    /** Takes a block to write to, evicting what it held, or returns {@link #NONE} if all are used. */
    public int allocate() {
        int blockId = retention.removeNext();
        if (blockId == NONE) {
            return NONE;
        }
        if (hashes[blockId] != null) {
            forget(blockId);
            evictedBlocks++;
        }
        refCounts[blockId] = 1;
        return blockId;
    }

    /** Whether two owners or more used a findable block since it is here. */
    public boolean isShared(int blockId) {
        return sharedBlocks.get(blockId);
    }

    /** Adds an owner's use of a block that was found in the index. */
    public void retain(int blockId, String owner) {
        retain(blockId);
        if (!requireNonNull(owner, "owner").equals(owners[blockId])) {
            sharedBlocks.set(blockId);
        }
    }

    /** Adds a use by nobody in particular of a block that was found in the index: it is only kept from reuse. */
    public void retain(int blockId) {
        if (hashes[blockId] == null) {
            throw new IllegalStateException("block " + blockId + " is not findable, so it cannot be shared");
        }
        if (refCounts[blockId] == 0) {
            retention.remove(blockId);
        }
        refCounts[blockId]++;
    }

    /** Ends one use of a block. After the last one it is free, and stays findable if it was. */
    public void release(int blockId) {
        if (refCounts[blockId] <= 0) {
            throw new IllegalStateException("block " + blockId + " is released more often than it was taken");
        }
        refCounts[blockId]--;
        if (refCounts[blockId] > 0) {
            return;
        }
        if (hashes[blockId] != null && !retention.keepsContent()) {
            forget(blockId);
        }
        retention.add(blockId, hashes[blockId] != null);
    }

    /**
     * Makes a full block findable and so unwritable. Where a block of this content is findable already, because two
     * sequences computed it at the same time, that one is kept: the caller's use moves to it, and the caller's block
     * becomes free without ever having been seen by anyone else.
     *
     * @param owner whose block it is
     * @return the block that the caller uses from now on: {@code blockId}, or the one that was there first
     */
    public int publish(int blockId, BlockHash hash, String owner) {
        if (!isWritable(blockId)) {
            throw new IllegalStateException("block " + blockId + " is published twice, or not its user's own");
        }
        int firstBlockId = index.find(hash);
        if (firstBlockId != NONE) {
            retain(firstBlockId, owner);
            release(blockId);
            duplicateBlocks++;
            return firstBlockId;
        }
        hashes[blockId] = hash;
        owners[blockId] = requireNonNull(owner, "owner");
        index.put(hash, blockId);
        return blockId;
    }

    /** Makes a used block unfindable, if it is findable. Those who share it go on with it; nobody new finds it. */
    public void withdraw(int blockId) {
        if (refCounts[blockId] <= 0) {
            throw new IllegalStateException("block " + blockId + " is withdrawn by nobody who uses it");
        }
        if (hashes[blockId] != null) {
            forget(blockId);
        }
    }

    /** Counts what an admitted sequence found of the blocks it looked for. */
    public void countLookup(int foundBlocks, int absentBlocks) {
        hitBlocks += foundBlocks;
        missedBlocks += absentBlocks;
    }

    /** Counts at this moment. */
    public BlockPoolStats stats() {
        return new BlockPoolStats(
                refCounts.length,
                refCounts.length - retention.size(),
                index.size(),
                hitBlocks,
                missedBlocks,
                evictedBlocks,
                duplicateBlocks);
    }

    /**
     * Verifies every invariant of the pool by itself: a block is free if and only if nobody uses it, and findable under
     * its own hash and no other.
     *
     * @throws IllegalStateException naming what does not hold
     */
    public void checkIntegrity() {
        retention.checkIntegrity();
        int freeCount = 0;
        int findableCount = 0;
        for (int blockId = 0; blockId < refCounts.length; blockId++) {
            boolean free = retention.contains(blockId);
            check(refCounts[blockId] >= 0, blockId, "has a negative use count");
            check(free == (refCounts[blockId] == 0), blockId, free ? "is free and used" : "is neither free nor used");
            freeCount += free ? 1 : 0;
            BlockHash hash = hashes[blockId];
            if (hash != null) {
                check(index.find(hash) == blockId, blockId, "is not found by its name");
                check(!free || retention.keepsContent(), blockId, "is free and findable, but not to be kept");
                findableCount++;
            }
            check(
                    (hash != null) == (owners[blockId] != null),
                    blockId,
                    "is findable without an owner, or owned without");
            check(hash != null || !sharedBlocks.get(blockId), blockId, "is shared, and not findable");
        }
        checkCount(freeCount == retention.size(), "free blocks", freeCount, retention.size());
        checkCount(findableCount == index.size(), "findable blocks", findableCount, index.size());
    }

    /**
     * Verifies the pool, and that its use counts are those of these block tables and other uses together.
     *
     * @param otherUses block ids, each as often as it is used beside the tables
     * @throws IllegalStateException naming what does not hold
     */
    public void checkIntegrity(Iterable<BlockTable> tables, List<Integer> otherUses) {
        checkIntegrity();
        int[] uses = new int[refCounts.length];
        for (BlockTable table : tables) {
            for (int i = 0; i < table.blockCount(); i++) {
                uses[table.blockId(i)]++;
            }
        }
        for (int blockId : otherUses) {
            uses[blockId]++;
        }
        for (int blockId = 0; blockId < refCounts.length; blockId++) {
            check(
                    uses[blockId] == refCounts[blockId],
                    blockId,
                    "has " + uses[blockId] + " uses, and counts " + refCounts[blockId]);
        }
    }

    private void forget(int blockId) {
        index.remove(requireNonNull(hashes[blockId], "hash"), blockId);
        hashes[blockId] = null;
        owners[blockId] = null;
        sharedBlocks.clear(blockId);
    }

    private static void check(boolean holds, int blockId, String what) {
        if (!holds) {
            throw new IllegalStateException("block " + blockId + " " + what);
        }
    }

    private static void checkCount(boolean holds, String what, int counted, int kept) {
        if (!holds) {
            throw new IllegalStateException(what + ": " + counted + " counted, " + kept + " kept");
        }
    }
}
