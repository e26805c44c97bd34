package io.millrace.engine;

/** Ends a sequence by what its tokens say, such as a stop string. Called on the engine's thread, once a token, in order. */
@FunctionalInterface
public interface StopCondition {
    /** Never ends a sequence. */
    StopCondition NEVER = tokenId -> false;

    /** Takes the next token of the output; returns whether the sequence ends with it. */
    boolean accept(int tokenId);
}
