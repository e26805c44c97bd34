package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.speculation.AcceptanceRates;
import io.millrace.engine.speculation.DrafterKind;
import io.millrace.engine.speculation.TokenIndex;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is guessed of a sequence's next tokens in a step, and what the guessing keeps from step to step. None of it
 * decides a token: it may be lost at any time. Engine thread.
 */
final class Draft {
    private static final Logger LOG = LoggerFactory.getLogger(Draft.class);

    private final Sequence sequence;
    private final AcceptanceRates rates;
    private final int[] tokens;
    private final double[] chances;
    /** States of the constraint behind each of the rows' tokens. */
    private final @Nullable Constraint[] states;

    private int limit;
    private int count;
    private int rows;
    private DrafterKind kind = DrafterKind.CONSTRAINT;
    private int matchTokens;
    private boolean broken;
    private @Nullable TokenIndex index;
    private @Nullable ModelDraft modelState;

    Draft(Sequence sequence, AcceptanceRates rates) {
        this.sequence = requireNonNull(sequence, "sequence");
        this.rates = requireNonNull(rates, "rates");
        int most = sequence.request().speculation().maxDraftTokens();
        tokens = new int[most];
        chances = new double[most];
        states = new Constraint[most];
    }

    Sequence sequence() {
        return sequence;
    }

    /** Begins a step in which so many tokens at most may be guessed. */
    void begin(int limitTokens) {
        limit = Math.min(limitTokens, tokens.length);
        count = 0;
        rows = 0;
    }

    /** Most tokens that may be guessed in this step. */
    int limit() {
        return limit;
    }

    /** The buffer for guessed tokens. */
    int[] tokens() {
        return tokens;
    }

    /** Tokens that are guessed. */
    int count() {
        return count;
    }

    DrafterKind kind() {
        return kind;
    }

    boolean isBroken() {
        return broken;
    }

    /** Has nothing guessed of this sequence any more, because of what was thrown. */
    void breakOff(RuntimeException cause) {
        LOG.error("Sequence {} goes on without guesses", sequence, cause);
        broken = true;
        count = 0;
        rows = 0;
    }

    /**
     * Says what was guessed: the first so many of {@link #tokens}.
     *
     * @param matched of a lookup, the tokens before the guess that were the same
     */
    void guess(DrafterKind guessKind, int guessCount, int matched) {
        kind = guessKind;
        count = guessCount;
        matchTokens = matched;
        double chance = 1;
        for (int i = 0; i < count; i++) {
            chance *= rates.rate(guessClass(i));
            chances[i] = chance;
        }
    }

    /** How likely the first tokens, up to each, all come true. */
    double[] chances() {
        return chances;
    }

    /** Tokens of the guess that the step computes. */
    int rows() {
        return rows;
    }

    /** Has the step compute so many tokens of the guess, of which the constraint allows each. */
    void compute(int rowCount) {
        Constraint state = sequence.constraint;
        rows = 0;
        while (rows < rowCount) {
            if (state != null) {
                state = state.after(tokens[rows]);
                if (state == null) {
                    return;
                }
            }
            states[rows] = state;
            rows++;
        }
    }

    /** Has the step compute fewer tokens. */
    void shorten(int rowCount) {
        rows = Math.min(rows, rowCount);
    }

    /** The constraint's state in front of a row: 0 is the sequence's own row, and i the row of guessed token i - 1. */
    @Nullable
    Constraint stateBefore(int row) {
        return row == 0 ? sequence.constraint : states[row - 1];
    }

    /**
     * Notes what was sampled where token i of the guess would have been.
     *
     * @return whether it is that token, and was computed
     */
    boolean note(int i, int tokenId) {
        if (i >= count) {
            return false;
        }
        boolean hit = tokens[i] == tokenId;
        rates.note(guessClass(i), hit);
        return hit && i < rows;
    }

    /** Where the sequence's tokens are looked up. */
    TokenIndex index() {
        if (index == null) {
            index = new TokenIndex();
        }
        return index;
    }

    /** How likely the first token of a guess that is no lookup is to come true. */
    double rate(DrafterKind guessKind) {
        return rates.rate(AcceptanceRates.classOf(guessKind, 0));
    }

    /** What the model drafter keeps of the sequence, or null. */
    @Nullable
    ModelDraft modelState() {
        return modelState;
    }

    void modelState(@Nullable ModelDraft next) {
        modelState = next;
    }

    private int guessClass(int i) {
        return AcceptanceRates.classOf(kind, matchTokens + i);
    }
}
