package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.BlockHash;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;

/** Blocks that a lease holds. Reads and the end exclude each other, so no block is reused while it is read. */
final class PinnedBlocks implements HeldBlocks {
    /**
     * A block that is held.
     *
     * @param shared whether two sessions or more had used it when the hold began
     */
    record Pin(BlockHash hash, int blockId, boolean shared) {}

    private final ModelInstance instance;
    private final List<Pin> pins;
    private final SequenceLease lease;
    private final Consumer<PinnedBlocks> release;
    private boolean ended;

    /**
     * Holds blocks that the pool counts a use of already.
     *
     * @param lease whose hold it is
     * @param release lets the pool know, from any thread
     */
    PinnedBlocks(ModelInstance instance, List<Pin> pins, SequenceLease lease, Consumer<PinnedBlocks> release) {
        this.instance = requireNonNull(instance, "instance");
        this.pins = List.copyOf(pins);
        this.lease = requireNonNull(lease, "lease");
        this.release = requireNonNull(release, "release");
    }

    List<Pin> pins() {
        return pins;
    }

    SequenceLease lease() {
        return lease;
    }

    @Override
    public int size() {
        return pins.size();
    }

    @Override
    public BlockHash hash(int index) {
        return pins.get(index).hash();
    }

    @Override
    public boolean isShared(int index) {
        return pins.get(index).shared();
    }

    @Override
    public synchronized void read(int index, ByteBuffer target) {
        int blockId = pins.get(index).blockId();
        if (ended) {
            throw new IllegalStateException("the blocks are no longer held");
        }
        instance.readBlock(blockId, target);
    }

    @Override
    public void close() {
        if (end()) {
            release.accept(this);
        }
    }

    /**
     * Ends the hold, after the read that runs.
     *
     * @return whether it had not ended before
     */
    synchronized boolean end() {
        boolean first = !ended;
        ended = true;
        return first;
    }
}
