package io.millrace.engine;

import org.jspecify.annotations.Nullable;

/**
 * What the tokens of an output may be: a state behind so many of them, and the way on from it. Immutable, and used by
 * any thread. What one of its methods throws ends its own sequence and no other.
 */
public interface Constraint {
    /**
     * The tokens that may come next: token i where bit {@code i % 64} of word {@code i / 64} is set. At least one, and
     * an end token where the output may end. Shared: not to be changed. Tokens beyond its words may not come.
     */
    long[] allowed();

    /** The state behind one more token, or null where {@link #allowed} does not have it. */
    @Nullable
    Constraint after(int tokenId);

    /**
     * The tokens of the only way on, as far as there is only one; empty where there is a choice. A guess: {@link
     * #allowed} decides, so that other tokens of the same text cost time and nothing else.
     *
     * @param limit most tokens to return
     */
    int[] forced(int limit);
}
