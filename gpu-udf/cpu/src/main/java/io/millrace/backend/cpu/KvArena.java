package io.millrace.backend.cpu;

import io.millrace.kv.KvBlockLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * The memory of an instance's KV blocks, all allocated at the start. Blocks lie side by side in a few large arrays: the
 * JVM's usual collector gives an array of more than half a region whole regions of its own, so that an array for each
 * block would waste up to half of what it takes.
 */
final class KvArena {
    /** 64 MiB of floats: a region's remainder is then little beside it. */
    private static final int SLAB_ELEMENTS = 1 << 24;

    private final KvBlockLayout layout;
    private final int blockCount;
    private final int blocksOfSlab;
    private final float[][] slabs;

    KvArena(KvBlockLayout layout, int blockCount) {
        this(layout, blockCount, SLAB_ELEMENTS);
    }

    /** With arrays of at most so many elements, but of one block at least. */
    KvArena(KvBlockLayout layout, int blockCount, int slabElements) {
        this.layout = layout;
        this.blockCount = blockCount;
        this.blocksOfSlab = Math.max(1, slabElements / layout.blockElements());
        this.slabs = new float[(blockCount + blocksOfSlab - 1) / blocksOfSlab][];
        for (int slab = 0; slab < slabs.length; slab++) {
            int blocks = Math.min(blocksOfSlab, blockCount - slab * blocksOfSlab);
            slabs[slab] = new float[blocks * layout.blockElements()];
        }
    }

    KvBlockLayout layout() {
        return layout;
    }

    int blockCount() {
        return blockCount;
    }

    /** The array that a block lies in. */
    float[] memory(int blockId) {
        return slabs[blockId / blocksOfSlab];
    }

    /** Where a block starts in its array. */
    int start(int blockId) {
        return blockId % blocksOfSlab * layout.blockElements();
    }

    /** Writes one token's key and value of one head to its slot. */
    void store(int slot, int layer, int kvHead, float[] key, int keyStart, float[] value, int valueStart) {
        int size = layout.blockSizeTokens();
        int headDim = layout.headDim();
        int blockId = slot / size;
        float[] memory = memory(blockId);
        int token = slot % size;
        int keys = start(blockId) + layout.keyOffset(layer, kvHead) + token;
        for (int dim = 0; dim < headDim; dim++) {
            memory[keys + dim * size] = key[keyStart + dim];
        }
        int values = start(blockId) + layout.valueOffset(layer, kvHead) + token * headDim;
        System.arraycopy(value, valueStart, memory, values, headDim);
    }

    /** Copies a block to a buffer's position, as little-endian floats; the position moves behind it. */
    void read(int blockId, ByteBuffer target) {
        floats(target).put(memory(blockId), start(blockId), layout.blockElements());
        target.position(target.position() + layout.blockBytes());
    }

    /** Copies a block from a buffer, which is as it was afterwards. */
    void write(int blockId, ByteBuffer source) {
        if (source.remaining() != layout.blockBytes()) {
            throw new IllegalArgumentException("a block has " + layout.blockBytes() + " bytes, not " + source);
        }
        floats(source).get(memory(blockId), start(blockId), layout.blockElements());
    }

    private static FloatBuffer floats(ByteBuffer buffer) {
        return buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    }
}
