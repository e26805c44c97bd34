package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockHasher;
import java.util.List;

/** Names the full blocks of a turn's tokens. Used on the task thread. */
public final class ChainHasher {
    private final BlockHasher hasher;
    private final String blockIdentity;
    private final int[] block;

    /**
     * A hasher of an engine's blocks.
     *
     * @param blockIdentity what {@link io.millrace.engine.Engine#blockIdentity} says
     */
    public ChainHasher(int blockSizeTokens, String blockIdentity) {
        this.hasher = new BlockHasher(blockSizeTokens);
        this.blockIdentity = requireNonNull(blockIdentity, "blockIdentity");
        this.block = new int[blockSizeTokens];
    }

    /** Tokens of a block. */
    public int blockSizeTokens() {
        return block.length;
    }

    /** Full blocks of so many tokens whose KV the engine has computed: the last token's is not. */
    int fullBlocks(int tokenCount) {
        return Math.max(0, tokenCount - 1) / block.length;
    }

    /**
     * Adds the names of blocks that a chain lacks.
     *
     * @param chain the names of the first blocks, and then of all
     * @param prompt the turn's prompt
     * @param generated its output so far
     */
    public void extend(List<BlockHash> chain, String cacheSalt, int[] prompt, int[] generated) {
        int full = fullBlocks(prompt.length + generated.length);
        if (chain.size() >= full) {
            return;
        }
        BlockHash parent = chain.isEmpty() ? hasher.root(blockIdentity, cacheSalt) : chain.get(chain.size() - 1);
        for (int i = chain.size(); i < full; i++) {
            int begin = i * block.length;
            for (int j = 0; j < block.length; j++) {
                int at = begin + j;
                block[j] = at < prompt.length ? prompt[at] : generated[at - prompt.length];
            }
            parent = hasher.child(parent, block, 0);
            chain.add(parent);
        }
    }
}
