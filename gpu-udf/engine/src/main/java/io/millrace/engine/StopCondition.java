package io.millrace.engine;

/**
 * Ends a sequence by what its tokens say, such as a stop string. Called on the engine's thread, once a token that the
 * engine samples, in order; not for an end token, which ends the sequence anyway, nor for tokens that a resumed
 * sequence came with. Before the request's least tokens its answer does not count.
 */
@FunctionalInterface
public interface StopCondition {
    /** Never ends a sequence. */
    StopCondition NEVER = tokenId -> false;

    /** Takes the next token of the output; returns whether the sequence ends with it. */
    boolean accept(int tokenId);
}
