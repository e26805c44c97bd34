package io.millrace.operators.tiers;

import java.util.concurrent.atomic.LongAdder;

/** What the tiers have done since they were opened. Any thread. */
final class TierCounters {
    final LongAdder demotedToHostBlocks = new LongAdder();
    final LongAdder demotedToStateBlocks = new LongAdder();
    final LongAdder demotedToStateBytes = new LongAdder();
    final LongAdder promotedFromHostBlocks = new LongAdder();
    final LongAdder promotedFromHostBytes = new LongAdder();
    final LongAdder promotedFromStateBlocks = new LongAdder();
    final LongAdder promotedFromStateBytes = new LongAdder();
    final LongAdder prefetchedBlocks = new LongAdder();
    final LongAdder recomputedBlocks = new LongAdder();
    final LongAdder damagedBlocks = new LongAdder();
    final LongAdder skippedBlocks = new LongAdder();
    final LongAdder goneBlocks = new LongAdder();
    final LongAdder sharedBlocks = new LongAdder();
    final LongAdder storeErrors = new LongAdder();
    final LongAdder decidedToLoad = new LongAdder();
    final LongAdder decidedToCompute = new LongAdder();
    final LongAdder computedHeads = new LongAdder();
    final LongAdder evictedSessions = new LongAdder();
    final LongAdder expiredSessions = new LongAdder();
    final LongAdder divergedBlocks = new LongAdder();
    final LongAdder restoredTurns = new LongAdder();
}
