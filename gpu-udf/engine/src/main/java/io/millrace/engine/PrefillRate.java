package io.millrace.engine;

/**
 * How fast prompts are computed: an exponentially weighted mean over tokens, in which those of the last 2,048 or so
 * count most. A step's time is its tokens', each alike; so a step with few of them beside many decodes says little.
 */
final class PrefillRate {
    private static final double MEAN_TOKENS = 2048;
    private static final double NANOS_PER_SECOND = 1e9;

    private double tokens;
    private double nanos;

    /**
     * Notes a step.
     *
     * @param prefillTokens its tokens of prompts
     * @param stepTokens all its tokens
     * @param stepNanos its time
     */
    void add(int prefillTokens, int stepTokens, long stepNanos) {
        if (prefillTokens == 0) {
            return;
        }
        double kept = Math.exp(-prefillTokens / MEAN_TOKENS);
        tokens = tokens * kept + prefillTokens;
        nanos = nanos * kept + (double) stepNanos * prefillTokens / stepTokens;
    }

    /** Tokens of a second; 0 as long as no step had any. */
    double tokensPerSecond() {
        return nanos > 0 ? tokens / nanos * NANOS_PER_SECOND : 0;
    }
}
