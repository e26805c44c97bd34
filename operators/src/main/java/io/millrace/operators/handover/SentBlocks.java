package io.millrace.operators.handover;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The blocks that were sent to each subtask of Decode, as many of the latest used as it is thought to hold. What it
 * says is a guess: a block that a subtask has lost meanwhile is computed there. Used on the task thread.
 */
final class SentBlocks {
    private final int blocksMax;
    private final Map<Integer, Latest> byTarget = new HashMap<>();

    private static final class Latest extends LinkedHashMap<BlockHash, Boolean> {
        private static final long serialVersionUID = 1L;

        private final int blocksMax;

        Latest(int blocksMax) {
            super(16, 0.75f, true);
            this.blocksMax = blocksMax;
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<BlockHash, Boolean> eldest) {
            return size() > blocksMax;
        }
    }

    /** Nothing was sent; of each target so many blocks are remembered. */
    SentBlocks(int blocksMax) {
        if (blocksMax <= 0) {
            throw new IllegalArgumentException("blocksMax must be positive: " + blocksMax);
        }
        this.blocksMax = blocksMax;
    }

    /** Whether a target is thought to hold a block, which counts as a use of it. */
    boolean contains(int target, BlockHash hash) {
        Latest latest = byTarget.get(target);
        return latest != null && latest.get(requireNonNull(hash, "hash")) != null;
    }

    /** A block was sent. */
    void add(int target, BlockHash hash) {
        byTarget.computeIfAbsent(target, any -> new Latest(blocksMax)).put(requireNonNull(hash, "hash"), Boolean.TRUE);
    }
}
