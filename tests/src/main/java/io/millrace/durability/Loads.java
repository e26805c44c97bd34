package io.millrace.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.LoadTarget;
import io.millrace.engine.PrefixSource;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The blocks that a run's engines load from the tiers below the device: counts them, and loses some of them on their
 * way, which is a miss like any other. Safe for use by several threads.
 */
public final class Loads {
    private final Random random;
    private final double lostShare;
    private final AtomicLong loads = new AtomicLong();
    private final AtomicLong loadedBlocks = new AtomicLong();
    private final AtomicLong lostBlocks = new AtomicLong();

    /**
     * Loads of which some lose blocks.
     *
     * @param lostShare of the loads, from 0 to 1, so many end before their last block
     */
    public Loads(long seed, double lostShare) {
        random = new Random(seed);
        this.lostShare = lostShare;
    }

    /** Loads that have ended. */
    public long count() {
        return loads.get();
    }

    /** Blocks that were loaded. */
    public long loadedBlocks() {
        return loadedBlocks.get();
    }

    /** Blocks that were lost on purpose. */
    public long lostBlocks() {
        return lostBlocks.get();
    }

    @Override
    public String toString() {
        return loadedBlocks + " blocks in " + loads + " loads" + (lostShare > 0 ? " (" + lostBlocks + " lost)" : "");
    }

    /** The same source, counted. */
    PrefixSource counted(PrefixSource source) {
        requireNonNull(source, "source");
        return new PrefixSource() {
            @Override
            public int blocksToLoad(int firstBlock, int endBlock) {
                return source.blocksToLoad(firstBlock, endBlock);
            }

            @Override
            public void load(int firstBlock, LoadTarget target) {
                source.load(firstBlock, new Target(target));
            }
        };
    }

    private int kept(int blocks) {
        synchronized (random) {
            return blocks > 0 && random.nextDouble() < lostShare ? random.nextInt(blocks) : blocks;
        }
    }

    private final class Target implements LoadTarget {
        private final LoadTarget target;

        Target(LoadTarget target) {
            this.target = target;
        }

        @Override
        public int blockCount() {
            return target.blockCount();
        }

        @Override
        public boolean isWanted() {
            return target.isWanted();
        }

        @Override
        public void write(int index, ByteBuffer content) {
            target.write(index, content);
        }

        @Override
        public void done(int blocks) {
            int kept = kept(blocks);
            loads.incrementAndGet();
            loadedBlocks.addAndGet(kept);
            lostBlocks.addAndGet(blocks - kept);
            target.done(kept);
        }
    }
}
