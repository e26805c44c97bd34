package io.millrace.engine;

/**
 * What an engine's guesses and constraints did. All of it only grows.
 *
 * @param constraint guesses of the only way on that a constraint left
 * @param lookup guesses from earlier tokens
 * @param model guesses of a second model
 * @param masks masks that were asked for: one a row of a constrained sequence
 * @param maskNanos time that they took; while the device worked, where an executor computes them
 * @param maskNanosMax the longest of those times
 * @param maskNanosP99 what 99 of 100 of the latest of them did not exceed, to an eighth
 * @param maskWaitNanos time that steps waited for them after the device was done
 */
public record SpeculationStats(
        Drafted constraint,
        Drafted lookup,
        Drafted model,
        long masks,
        long maskNanos,
        long maskNanosMax,
        long maskNanosP99,
        long maskWaitNanos) {
    /** No guesses, no masks. */
    public static final SpeculationStats NONE =
            new SpeculationStats(Drafted.NONE, Drafted.NONE, Drafted.NONE, 0, 0, 0, 0, 0);

    /**
     * Tokens of one kind of guess.
     *
     * @param draftedTokens tokens that steps computed
     * @param acceptedTokens those of them that were what was sampled
     */
    public record Drafted(long draftedTokens, long acceptedTokens) {
        /** No tokens. */
        public static final Drafted NONE = new Drafted(0, 0);
    }
}
