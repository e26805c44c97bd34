package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockPool;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** The blocks that leases hold, to copy them while the engine goes on. Engine thread. */
final class BlockHolds {
    /** Of so many blocks one may be held, so that enough are left for sequences. */
    private static final int BLOCKS_PER_HELD = 4;

    private final BlockPool pool;
    private final ModelInstance instance;
    private final int heldBlocksMax;
    /** Holds that have not ended. Each has a block at least, so the limit of blocks bounds them too. */
    private final Set<PinnedBlocks> holds = new LinkedHashSet<>();

    private int heldBlocks;

    BlockHolds(BlockPool pool, ModelInstance instance) {
        this.pool = requireNonNull(pool, "pool");
        this.instance = requireNonNull(instance, "instance");
        heldBlocksMax = Math.max(1, pool.blockCount() / BLOCKS_PER_HELD);
    }

    /** Blocks that are held; one of two holds counts twice. */
    int heldBlocks() {
        return heldBlocks;
    }

    /**
     * Holds those blocks that are here, as far as the limit allows.
     *
     * @param release how the hold's end, on any thread, becomes a call of {@link #release}
     */
    PinnedBlocks hold(List<BlockHash> hashes, SequenceLease lease, Consumer<PinnedBlocks> release) {
        List<PinnedBlocks.Pin> pins = new ArrayList<>();
        for (BlockHash hash : hashes) {
            int blockId = pool.index().find(hash);
            if (blockId != BlockPool.NONE && heldBlocks < heldBlocksMax) {
                pool.retain(blockId);
                heldBlocks++;
                pins.add(new PinnedBlocks.Pin(hash, blockId, pool.isShared(blockId)));
            }
        }
        PinnedBlocks hold = new PinnedBlocks(instance, pins, lease, release);
        if (!pins.isEmpty()) {
            holds.add(hold);
        }
        return hold;
    }

    /** Lets go of a hold's blocks, unless that was done before. The hold has ended. */
    void release(PinnedBlocks hold) {
        if (!holds.remove(hold)) {
            return;
        }
        // As a block table does: of a free chain the end is reused first.
        for (int i = hold.pins().size() - 1; i >= 0; i--) {
            pool.release(hold.pins().get(i).blockId());
        }
        heldBlocks -= hold.pins().size();
    }

    /** Ends the holds of a lease that has ended. */
    void endOf(SequenceLease lease) {
        for (PinnedBlocks hold : List.copyOf(holds)) {
            if (hold.lease() == lease) {
                end(hold);
            }
        }
    }

    /** Ends every hold. */
    void endAll() {
        List.copyOf(holds).forEach(this::end);
    }

    /** Adds the blocks that are held, each as often as it is held. */
    void addUses(List<Integer> blockIds) {
        for (PinnedBlocks hold : holds) {
            hold.pins().forEach(pin -> blockIds.add(pin.blockId()));
        }
    }

    private void end(PinnedBlocks hold) {
        hold.end();
        release(hold);
    }
}
