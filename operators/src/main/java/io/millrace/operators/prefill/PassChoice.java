package io.millrace.operators.prefill;

/**
 * Decides whether a turn is left to Decode, which computes what it lacks of the prompt between its own steps.
 *
 * <p>It is if that is little, as {@code minUncachedTokens} says. What Decode has of the prompt and Prefill's engine has
 * not would have to be computed here a second time: where that is as much as Decode lacks, it costs more than it is
 * for, and the turn is left to Decode too.
 *
 * <p>Where each has an engine of its own, both queues count, as tokens that are to be computed first. Turns that are
 * little pass only while Decode's queue is not the longer one; and larger ones, up to {@value #RELIEF_FACTOR} times as
 * much, pass while Prefill's is more than twice as long. Of Decode's queue Prefill knows what it left to Decode lately.
 */
final class PassChoice {
    /** So many times more than usual is left to Decode at most when Prefill has much to do. */
    static final int RELIEF_FACTOR = 4;

    private final int minUncachedTokens;
    private final boolean ownEngine;

    /**
     * A choice.
     *
     * @param minUncachedTokens what Decode lacks is little up to here
     * @param ownEngine whether Prefill has an engine of its own
     */
    PassChoice(int minUncachedTokens, boolean ownEngine) {
        this.minUncachedTokens = minUncachedTokens;
        this.ownEngine = ownEngine;
    }

    /**
     * What there is to compute, in tokens.
     *
     * @param prefillTokens of the prompt, for Prefill
     * @param decodeTokens of the prompt, for Decode
     * @param prefillQueueTokens before it in Prefill's engine
     * @param decodeQueueTokens before it in Decode's
     */
    record Work(int prefillTokens, int decodeTokens, long prefillQueueTokens, long decodeQueueTokens) {}

    /** Whether the turn is left to Decode. */
    boolean passes(Work work) {
        int twiceTokens = work.prefillTokens() - work.decodeTokens();
        boolean little = work.decodeTokens() <= Math.max(minUncachedTokens, twiceTokens);
        if (!ownEngine || work.decodeTokens() == 0) {
            return little;
        }
        long here = work.prefillQueueTokens() + work.prefillTokens();
        long there = work.decodeQueueTokens() + work.decodeTokens();
        if (little) {
            return there <= here + minUncachedTokens;
        }
        return work.decodeTokens() <= (long) RELIEF_FACTOR * minUncachedTokens && 2 * there <= here;
    }
}
