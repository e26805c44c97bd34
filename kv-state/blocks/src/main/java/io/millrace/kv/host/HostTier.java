package io.millrace.kv.host;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockPool;
import io.millrace.kv.RetentionOrder;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The HOST tier: blocks by their names in slots of one region. The life of a slot:
 *
 * <pre>
 *                 reserve                     publish
 *   free, empty ------------> pinned, written ---------> pinned, findable, never written again
 *        ^                          |                       |        ^
 *        |  close                   |                 close |        | find
 *        +--------------------------+                       v        |
 *   pinned by reserve (an eviction) <------------------ free, findable
 * </pre>
 *
 * <p>Any thread may use it; what it does under its lock takes constant time and copies nothing. The region's memory is
 * freed once the tier is closed and nobody uses a slot any more.
 */
public final class HostTier implements AutoCloseable {
    private final HostRegion region;
    private final RetentionOrder retention;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition released = lock.newCondition();
    private final Map<BlockHash, Integer> index = new HashMap<>();
    private final @Nullable BlockHash[] hashes;
    private final int[] pins;
    private int pinnedSlots;
    private long hitBlocks;
    private long missedBlocks;
    private long writtenBlocks;
    private long evictedBlocks;
    private long refusedBlocks;
    private boolean closed;
    private boolean regionReleased;

    /**
     * A tier without blocks.
     *
     * @param region belongs to the tier from now on
     * @param retention an empty order for as many blocks as the region has slots
     */
    public HostTier(HostRegion region, RetentionOrder retention) {
        this.region = requireNonNull(region, "region");
        this.retention = requireNonNull(retention, "retention");
        hashes = new BlockHash[region.slotCount()];
        pins = new int[region.slotCount()];
        // Empty slots go to the front, so that slot 0 is taken first: memory is touched from its begin on.
        for (int slot = region.slotCount() - 1; slot >= 0; slot--) {
            retention.add(slot, false);
        }
    }

    /** Bytes of a block's content. */
    public int contentBytes() {
        return region.contentBytes();
    }

    /** Number of blocks that there is room for. */
    public int slotCount() {
        return region.slotCount();
    }

    /** Whether a block can be found now: a hint, for it may go at once. */
    public boolean contains(BlockHash hash) {
        lock.lock();
        try {
            return !closed && index.containsKey(hash);
        } finally {
            lock.unlock();
        }
    }

    /** Finds a block and keeps it until the slot is closed, or returns null. */
    public @Nullable HostSlot find(BlockHash hash) {
        lock.lock();
        try {
            Integer slot = closed ? null : index.get(hash);
            if (slot == null) {
                missedBlocks++;
                return null;
            }
            hitBlocks++;
            if (pins[slot] == 0) {
                retention.remove(slot);
                pinnedSlots++;
            }
            pins[slot]++;
            return new HostSlot(this, slot, hash);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes a slot to write a block to, evicting what it held. The caller writes the content, and the header if it is
     * going to store the value, and then publishes it; closed without, it is as if it had never been.
     *
     * @return null if all slots are in use, or the tier is closed
     */
    public @Nullable HostSlot reserve(BlockHash hash) {
        requireNonNull(hash, "hash");
        lock.lock();
        try {
            int slot = closed ? BlockPool.NONE : retention.removeNext();
            if (slot == BlockPool.NONE) {
                refusedBlocks++;
                return null;
            }
            if (forgetContent(slot)) {
                evictedBlocks++;
            }
            pins[slot] = 1;
            pinnedSlots++;
            return new HostSlot(this, slot, hash);
        } finally {
            lock.unlock();
        }
    }

    /** Makes a block unfindable, so that its slot is given to others first; without effect if it is not here. */
    public void forget(BlockHash hash) {
        lock.lock();
        try {
            Integer slot = index.get(hash);
            if (slot == null) {
                return;
            }
            forgetContent(slot);
            if (pins[slot] == 0) {
                retention.remove(slot);
                retention.add(slot, false);
            }
        } finally {
            lock.unlock();
        }
    }

    /** The tier now. */
    public HostTierStats stats() {
        lock.lock();
        try {
            return new HostTierStats(
                    region.slotCount(),
                    region.contentBytes(),
                    index.size(),
                    pinnedSlots,
                    hitBlocks,
                    missedBlocks,
                    writtenBlocks,
                    evictedBlocks,
                    refusedBlocks);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends the tier: nothing is found or reserved any more. The memory is freed now, or by whoever ends the last use of
     * a slot. Does not wait; again: does nothing.
     */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            releaseIfUnused();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until a closed tier's memory is freed.
     *
     * @return false if slots are still in use after that time: the memory stays valid, and reserved, until they are not
     */
    public boolean awaitReleased(Duration limit) throws InterruptedException {
        long leftNanos = limit.toNanos();
        lock.lock();
        try {
            while (!regionReleased && leftNanos > 0) {
                leftNanos = released.awaitNanos(leftNanos);
            }
            return regionReleased;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Verifies that every slot is either pinned or free, and that names and slots agree.
     *
     * @throws IllegalStateException naming what does not hold
     */
    public void checkIntegrity() {
        lock.lock();
        try {
            retention.checkIntegrity();
            int pinned = 0;
            int named = 0;
            for (int slot = 0; slot < pins.length; slot++) {
                check(pins[slot] >= 0 && (pins[slot] == 0) == retention.contains(slot), slot, "is not pinned or free");
                pinned += pins[slot] > 0 ? 1 : 0;
                BlockHash hash = hashes[slot];
                if (hash != null) {
                    named++;
                    Integer found = index.get(hash);
                    check(found != null && found == slot, slot, "is not where its name leads");
                }
            }
            check(named == index.size(), named, "is the number of names, and the index has " + index.size());
            check(pinned == pinnedSlots, pinned, "is the number of pinned ones, and the count is " + pinnedSlots);
        } finally {
            lock.unlock();
        }
    }

    ByteBuffer slot(int slot) {
        return region.slot(slot);
    }

    void publish(int slot, BlockHash hash) {
        lock.lock();
        try {
            if (hashes[slot] == null && index.putIfAbsent(hash, slot) == null) {
                hashes[slot] = hash;
                writtenBlocks++;
            }
        } finally {
            lock.unlock();
        }
    }

    void unpin(int slot) {
        lock.lock();
        try {
            if (--pins[slot] > 0) {
                return;
            }
            pinnedSlots--;
            if (!retention.keepsContent()) {
                forgetContent(slot);
            }
            retention.add(slot, hashes[slot] != null);
            releaseIfUnused();
        } finally {
            lock.unlock();
        }
    }

    private boolean forgetContent(int slot) {
        BlockHash hash = hashes[slot];
        if (hash == null) {
            return false;
        }
        index.remove(hash);
        hashes[slot] = null;
        return true;
    }

    private void releaseIfUnused() {
        if (closed && pinnedSlots == 0 && !regionReleased) {
            region.close();
            regionReleased = true;
            released.signalAll();
        }
    }

    private static void check(boolean holds, int what, String message) {
        if (!holds) {
            throw new IllegalStateException("slot " + what + " " + message);
        }
    }
}
