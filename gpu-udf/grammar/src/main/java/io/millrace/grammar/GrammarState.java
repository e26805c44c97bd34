package io.millrace.grammar;

import org.jspecify.annotations.Nullable;

/**
 * Where a text stands in a grammar: what may come next. Immutable to those who use it; any thread. States of one
 * {@link TokenGrammar} that allow the same are most often the same object.
 */
public final class GrammarState {
    /** Nodes that take a byte, in order. */
    final int[] nodes;

    /** What each of them returns to. */
    final Stacks[] stacks;

    /** Whether the text may end here. */
    final boolean mayEnd;

    /** Deepest stack. */
    final int depth;

    /** State after a byte of each class; null where it is not known yet. Written by one thread at a time. */
    final @Nullable GrammarState[] nexts;

    final CachedMask mask = new CachedMask();
    private final TokenGrammar grammar;

    GrammarState(TokenGrammar grammar, int[] nodes, Stacks[] stacks, boolean mayEnd, int classCount) {
        this.grammar = grammar;
        this.nodes = nodes;
        this.stacks = stacks;
        this.mayEnd = mayEnd;
        this.nexts = new GrammarState[classCount];
        int deepest = 0;
        for (Stacks stack : stacks) {
            deepest = Math.max(deepest, stack.depth);
        }
        this.depth = deepest;
    }

    /**
     * Returns which tokens may come next: bit {@code i % 64} of word {@code i / 64} is token i. Tokens that end the
     * text are among them where it may end. The array is shared and must not be changed. The first call for a state
     * makes the mask; later ones find it, unless it had to make room.
     *
     * @throws io.millrace.kv.ServingException {@code INVALID_REQUEST} if the grammar is so ambiguous that this would
     *     take too long
     */
    public long[] allowed() {
        return grammar.allowed(this);
    }

    /**
     * Returns the state after a token.
     *
     * @return the state, or null if the token is not allowed
     * @throws io.millrace.kv.ServingException {@code INVALID_REQUEST} if the grammar is so ambiguous that this would
     *     take too long
     */
    public @Nullable GrammarState after(int token) {
        return grammar.after(this, token);
    }

    /**
     * Returns the tokens of the only way on: none where there is a choice. Other tokens of the same bytes are allowed
     * as well, so this is a guess at what a model writes, and not a promise.
     *
     * @param limit most tokens
     */
    public int[] forced(int limit) {
        return grammar.forced(this, limit);
    }

    /** Whether the text may end here. */
    public boolean mayEnd() {
        return mayEnd;
    }
}
