package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Sequence.State;
import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockHasher;
import io.millrace.kv.BlockPool;
import io.millrace.kv.BlockTable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Where the blocks of a sequence's prefix come from besides being computed for it: the index, another sequence that is
 * about to fill them, or the sequence's own source. Engine thread.
 */
final class PrefixBlocks {
    private final BlockPool pool;
    private final BlockHasher hasher;
    private final int blockSizeTokens;
    private final PrefixLoads loads;
    private final Consumer<Runnable> engineThread;
    /** Blocks that prefills of this step's plan are about to fill: who wants the same waits for them. */
    private final Set<BlockHash> underway = new HashSet<>();

    private long loadedTokens;

    /**
     * Nothing under way.
     *
     * @param loads none yet
     * @param engineThread has a task run between two steps; called by any thread
     */
    PrefixBlocks(BlockPool pool, BlockHasher hasher, PrefixLoads loads, Consumer<Runnable> engineThread) {
        this.pool = requireNonNull(pool, "pool");
        this.hasher = requireNonNull(hasher, "hasher");
        this.loads = requireNonNull(loads, "loads");
        this.engineThread = requireNonNull(engineThread, "engineThread");
        blockSizeTokens = hasher.blockSizeTokens();
    }

    long loadedTokens() {
        return loadedTokens;
    }

    PrefixLoads loads() {
        return loads;
    }

    /** Forgets what the step before was to compute. */
    void beginStep() {
        underway.clear();
    }

    /** Notes that this step computes the next tokens of a sequence. */
    void addUnderway(Sequence sequence, int tokens) {
        int until = Math.min(
                sequence.shareableBlocks(blockSizeTokens),
                BlockTable.blocksFor(sequence.computedTokens + tokens, blockSizeTokens));
        for (int block = sequence.publishedBlocks; block < until; block++) {
            underway.add(sequence.hash(block, hasher));
        }
    }

    /** Whether a sequence's block is being computed by another one in this very step, or loaded. */
    boolean isUnderway(Sequence sequence, int block) {
        if (block >= sequence.shareableBlocks(blockSizeTokens)) {
            return false;
        }
        BlockHash name = sequence.hash(block, hasher);
        return underway.contains(name) || loads.bring(name);
    }

    /** Whether a sequence has to wait until it may ask its source for the blocks behind those that were found. */
    boolean waitsForLoads(Sequence sequence, int foundBlocks) {
        return mayLoad(sequence, foundBlocks) && !loads.hasRoom();
    }

    /** Leading blocks of a sequence that are in the index. */
    int findableBlocks(Sequence sequence) {
        int shareable = sequence.shareableBlocks(blockSizeTokens);
        int found = 0;
        while (found < shareable && find(sequence, found) != BlockPool.NONE) {
            found++;
        }
        return found;
    }

    /** How many of the leading blocks, which are in the index, somebody uses. */
    int usedBlocks(Sequence sequence, int foundBlocks) {
        int used = 0;
        for (int block = 0; block < foundBlocks; block++) {
            used += pool.refCount(find(sequence, block)) > 0 ? 1 : 0;
        }
        return used;
    }

    /**
     * Takes the next blocks of a sequence from the index as far as they are there, where it stands at a block's start.
     *
     * @return how many
     */
    int share(Sequence sequence) {
        int found = 0;
        int shareable = sequence.shareableTokens(blockSizeTokens);
        while (sequence.computedTokens % blockSizeTokens == 0 && sequence.computedTokens < shareable) {
            int blockId = find(sequence, sequence.publishedBlocks);
            if (blockId == BlockPool.NONE) {
                break;
            }
            sequence.table().share(blockId);
            sequence.computedTokens += blockSizeTokens;
            sequence.publishedBlocks++;
            found++;
        }
        sequence.countCached(found * blockSizeTokens);
        return found;
    }

    /** Makes the blocks findable that are full and not yet so. */
    void publish(Sequence sequence) {
        while ((sequence.publishedBlocks + 1) * blockSizeTokens <= sequence.computedTokens) {
            int block = sequence.publishedBlocks;
            sequence.table().publish(block, sequence.hash(block, hasher));
            sequence.publishedBlocks++;
        }
    }

    /**
     * Has the source of a sequence that was just admitted load its next blocks, if it wants to.
     *
     * @return whether it does; then the sequence is LOADING
     */
    boolean load(Sequence sequence) {
        int first = sequence.publishedBlocks;
        if (!mayLoad(sequence, first)) {
            return false;
        }
        int wanted = PrefixLoads.blocksToLoad(sequence, first, sequence.shareableBlocks(blockSizeTokens));
        // There is room for all its blocks, or it would not have been admitted.
        if (wanted == 0 || !sequence.table().reserve((first + wanted) * blockSizeTokens)) {
            return false;
        }
        List<BlockHash> names = new ArrayList<>();
        for (int block = first; block < first + wanted; block++) {
            names.add(sequence.hash(block, hasher));
        }
        sequence.state = State.LOADING;
        sequence.loadingBlocks = wanted;
        loads.start(sequence, first, names, load -> engineThread.accept(() -> endLoad(load)));
        return true;
    }

    /** Takes note of a load that has ended: what it brought becomes findable, and its sequence goes on behind it. */
    private void endLoad(PrefixLoad load) {
        if (!loads.remove(load)) {
            return;
        }
        Sequence sequence = load.sequence();
        if (sequence.state == State.FINISHED) {
            sequence.table().releaseAll();
            return;
        }
        int tokens = load.loadedBlocks() * blockSizeTokens;
        sequence.state = State.PREFILLING;
        sequence.loadingBlocks = 0;
        sequence.computedTokens += tokens;
        publish(sequence);
        sequence.table().truncate(sequence.publishedBlocks);
        sequence.countCached(tokens);
        loadedTokens += tokens;
    }

    private boolean mayLoad(Sequence sequence, int foundBlocks) {
        return sequence.request().prefixSource() != null && foundBlocks < sequence.shareableBlocks(blockSizeTokens);
    }

    private int find(Sequence sequence, int block) {
        return pool.index().find(sequence.hash(block, hasher));
    }
}
