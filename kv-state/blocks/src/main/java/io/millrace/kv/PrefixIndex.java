package io.millrace.kv;

import java.util.concurrent.ConcurrentHashMap;

/**
 * Finds full blocks by the hash chain of their tokens. One thread changes it, that of its pool; any thread may look,
 * and takes what it finds as a hint, for the block may be reused at once.
 */
public final class PrefixIndex {
    private final ConcurrentHashMap<BlockHash, Integer> blockIds;

    PrefixIndex(int blockCount) {
        blockIds = new ConcurrentHashMap<>(Math.max(16, blockCount * 2));
    }

    /** Returns the block of this name, or {@link BlockPool#NONE}. Any thread. */
    public int find(BlockHash hash) {
        Integer blockId = blockIds.get(hash);
        return blockId == null ? BlockPool.NONE : blockId;
    }

    /**
     * Counts the leading tokens whose blocks are here right now, in whole blocks that do not hold the last token: that
     * one is always computed, because its logits are wanted. Any thread; the hasher is the caller's own.
     */
    public int cachedPrefixTokens(BlockHasher hasher, BlockHash root, int[] tokens) {
        int blockSizeTokens = hasher.blockSizeTokens();
        BlockHash hash = root;
        int cachedTokens = 0;
        while (cachedTokens + blockSizeTokens < tokens.length) {
            hash = hasher.child(hash, tokens, cachedTokens);
            if (!blockIds.containsKey(hash)) {
                break;
            }
            cachedTokens += blockSizeTokens;
        }
        return cachedTokens;
    }

    /** Number of blocks that can be found. */
    public int size() {
        return blockIds.size();
    }

    void put(BlockHash hash, int blockId) {
        Integer other = blockIds.put(hash, blockId);
        if (other != null) {
            throw new IllegalStateException("blocks " + other + " and " + blockId + " have one name, " + hash);
        }
    }

    void remove(BlockHash hash, int blockId) {
        if (!blockIds.remove(hash, blockId)) {
            throw new IllegalStateException("block " + blockId + " is not the one named " + hash);
        }
    }
}
