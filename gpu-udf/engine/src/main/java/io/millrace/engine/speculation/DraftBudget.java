package io.millrace.engine.speculation;

import java.util.Arrays;

/**
 * Shares a step's spare rows out among guesses: a row goes to the guess that is likeliest to come true, for as long as
 * the step's tokens for its time become more. So guesses are long where they come true, short where rows are dear, and
 * none where they would only slow the batch down.
 */
public final class DraftBudget {
    /** A step with guesses has to be expected to be better by this factor. */
    private static final double LEAST_GAIN = 1.03;

    private final StepCosts costs;
    private final int[] lengths;
    private final int[] order;

    /** A budget for steps of so many sequences and so many rows of guesses. */
    public DraftBudget(StepCosts costs, int maxSequences, int maxDraftRows) {
        this.costs = costs;
        lengths = new int[maxSequences];
        order = new int[maxDraftRows];
    }

    /**
     * Decides how many tokens of each guess are computed.
     *
     * @param chances of each guess: how likely its first tokens, up to each, all come true; not rising
     * @param counts tokens of each guess
     * @param guessCount guesses
     * @param plainRows rows whose logits the step has anyhow
     * @param spareRows rows that there is room for
     * @return tokens of each guess, valid until the next call
     */
    public int[] share(double[][] chances, int[] counts, int guessCount, int plainRows, int spareRows) {
        Arrays.fill(lengths, 0, guessCount, 0);
        if (!costs.isKnown()) {
            return lengths;
        }
        int most = Math.min(spareRows, order.length);
        double tokens = plainRows;
        double plainRate = tokens / costs.nanos(plainRows);
        double bestRate = plainRate * LEAST_GAIN;
        int bestCount = 0;
        int count = 0;
        while (count < most) {
            int next = likeliest(chances, counts, guessCount);
            if (next < 0) {
                break;
            }
            tokens += chances[next][lengths[next]];
            lengths[next]++;
            order[count++] = next;
            double rate = tokens / costs.nanos(plainRows + count);
            if (rate > bestRate) {
                bestRate = rate;
                bestCount = count;
            }
        }
        while (count > bestCount) {
            count--;
            lengths[order[count]]--;
        }
        return lengths;
    }

    private int likeliest(double[][] chances, int[] counts, int guessCount) {
        int best = -1;
        double bestChance = 0;
        for (int guess = 0; guess < guessCount; guess++) {
            int length = lengths[guess];
            if (length < counts[guess] && chances[guess][length] > bestChance) {
                bestChance = chances[guess][length];
                best = guess;
            }
        }
        return best;
    }
}
