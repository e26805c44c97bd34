package io.millrace.durability;

import io.millrace.engine.LoadTarget;
import io.millrace.engine.PrefixSource;
import io.millrace.engine.SequenceRequest;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;

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

    /** The same request, with its source counted if it has one. */
    SequenceRequest counted(SequenceRequest request) {
        return withTargets(request, Target::new);
    }

    /** A request whose source, if it has one, loads to other targets than the engine's. */
    static SequenceRequest withTargets(SequenceRequest request, UnaryOperator<LoadTarget> targets) {
        PrefixSource source = request.prefixSource();
        if (source == null) {
            return request;
        }
        PrefixSource other = new PrefixSource() {
            @Override
            public int blocksToLoad(int firstBlock, int endBlock) {
                return source.blocksToLoad(firstBlock, endBlock);
            }

            @Override
            public void load(int firstBlock, LoadTarget target) {
                source.load(firstBlock, targets.apply(target));
            }
        };
        return request.withPrefixSource(other);
    }

    private int kept(int blocks) {
        synchronized (random) {
            return blocks > 0 && random.nextDouble() < lostShare ? random.nextInt(blocks) : blocks;
        }
    }

    private final class Target extends ForwardingTarget {
        Target(LoadTarget target) {
            super(target);
        }

        @Override
        public void done(int blocks) {
            int kept = kept(blocks);
            loads.incrementAndGet();
            loadedBlocks.addAndGet(kept);
            lostBlocks.addAndGet(blocks - kept);
            super.done(kept);
        }
    }
}
