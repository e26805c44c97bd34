package io.millrace.engine.speculation;

import static java.util.Objects.requireNonNull;

/**
 * Decides how many tokens a draft model guesses in a step: as many as make the step's tokens for its time, the model's
 * included, the most; none where it is not worth it. Now and then it guesses all the same, to be measured.
 */
public final class ModelLengths {
    private static final double LEAST_GAIN = 1.03;
    private static final int EXPLORED_TOKENS = 4;
    /** Guesses of one exploration. */
    private static final int EXPLORED_STEPS = 4;
    /** Steps between two explorations: as many at first, and twice as many after each that changed nothing. */
    private static final int INTERVAL_STEPS_MIN = 64;

    private static final int INTERVAL_STEPS_MAX = 2048;
    private static final double NANOS_STEPS = 16;

    private final StepCosts costs;
    private final boolean adaptive;
    private double tokenNanos;
    private long steps;
    private long nextExploration;
    private int intervalSteps = INTERVAL_STEPS_MIN;
    private int exploredLeft;

    /**
     * Lengths for an engine.
     *
     * @param costs of its own steps
     * @param adaptive otherwise every guess is as long as it may be
     */
    public ModelLengths(StepCosts costs, boolean adaptive) {
        this.costs = requireNonNull(costs, "costs");
        this.adaptive = adaptive;
    }

    /**
     * The next step's length.
     *
     * @param sequences that want a guess
     * @param rate how likely one of the model's tokens is to come true
     * @param limit most tokens
     */
    public int next(int sequences, double rate, int limit) {
        if (!adaptive) {
            return limit;
        }
        steps++;
        if (steps > nextExploration) {
            nextExploration = steps + intervalSteps;
            intervalSteps = Math.min(2 * intervalSteps, INTERVAL_STEPS_MAX);
            exploredLeft = EXPLORED_STEPS;
        }
        // It lasts until there were guesses: the model may have to catch up first.
        if (exploredLeft > 0 || !costs.isKnown() || tokenNanos == 0) {
            return Math.min(limit, EXPLORED_TOKENS);
        }
        double tokens = sequences;
        double bestRate = tokens / costs.nanos(sequences) * LEAST_GAIN;
        int best = 0;
        double chance = 1;
        for (int length = 1; length <= limit; length++) {
            chance *= rate;
            tokens += sequences * chance;
            double tokensPerNano = tokens / (costs.nanos(sequences * (1 + length)) + length * tokenNanos);
            if (tokensPerNano > bestRate) {
                bestRate = tokensPerNano;
                best = length;
            }
        }
        if (best > 0) {
            intervalSteps = INTERVAL_STEPS_MIN;
        }
        return best;
    }

    /** Notes how long the model took for so many tokens of each guess. */
    public void note(int tokens, long nanos) {
        if (tokens > 0) {
            exploredLeft = Math.max(0, exploredLeft - 1);
            double each = (double) nanos / tokens;
            tokenNanos += (each - tokenNanos) / (tokenNanos == 0 ? 1 : NANOS_STEPS);
        }
    }
}
