package io.millrace.backend.cpu;

import io.millrace.kv.KvBlockLayout;

/** The memory of an instance's KV blocks: one array a block, all allocated at the start. */
final class KvArena {
    private final KvBlockLayout layout;
    private final float[][] blocks;

    KvArena(KvBlockLayout layout, int blockCount) {
        this.layout = layout;
        this.blocks = new float[blockCount][layout.blockElements()];
    }

    KvBlockLayout layout() {
        return layout;
    }

    int blockCount() {
        return blocks.length;
    }

    float[] block(int blockId) {
        return blocks[blockId];
    }

    /** Writes one token's key and value of one head to its slot. */
    void store(int slot, int layer, int kvHead, float[] key, int keyStart, float[] value, int valueStart) {
        int size = layout.blockSizeTokens();
        int headDim = layout.headDim();
        float[] block = blocks[slot / size];
        int token = slot % size;
        int keys = layout.keyOffset(layer, kvHead) + token;
        for (int dim = 0; dim < headDim; dim++) {
            block[keys + dim * size] = key[keyStart + dim];
        }
        System.arraycopy(value, valueStart, block, layout.valueOffset(layer, kvHead) + token * headDim, headDim);
    }
}
