package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** The chain of a turn's blocks, and how much of it was looked at to be saved. Used on the task thread. */
public final class TurnBlocks {
    private final LiveSession session;
    private final String cacheSalt;
    private final int[] prompt;
    private final Supplier<int[]> generated;
    private final List<BlockHash> chain = new ArrayList<>();
    private volatile List<BlockHash> known = List.of();
    private int nextSaveTokens;

    /** The blocks of a turn that has generated so much at any time. */
    TurnBlocks(LiveSession session, String cacheSalt, int[] prompt, Supplier<int[]> generated) {
        this.session = requireNonNull(session, "session");
        this.cacheSalt = requireNonNull(cacheSalt, "cacheSalt");
        this.prompt = requireNonNull(prompt, "prompt");
        this.generated = requireNonNull(generated, "generated");
    }

    LiveSession session() {
        return session;
    }

    /** Whether, with so many tokens of output, it is time to look for blocks to save. */
    public boolean isSaveDue(int generatedTokens) {
        return prompt.length + generatedTokens > nextSaveTokens;
    }

    void saveAgainAt(int tokens) {
        nextSaveTokens = tokens;
    }

    /** Its output so far. */
    int[] generated() {
        return generated.get();
    }

    int promptTokens() {
        return prompt.length;
    }

    /** Names the blocks that have become full. */
    void extend(ChainHasher hasher, int[] generated) {
        int before = chain.size();
        hasher.extend(chain, cacheSalt, prompt, generated);
        if (chain.size() > before) {
            known = List.copyOf(chain);
        }
    }

    /** The name of a full block. */
    public BlockHash block(int index) {
        return known.get(index);
    }

    /** The names of its full blocks, first to last, as they were when last looked at. Any thread. */
    List<BlockHash> chain() {
        return known;
    }
}
