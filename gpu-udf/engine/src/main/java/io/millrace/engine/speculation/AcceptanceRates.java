package io.millrace.engine.speculation;

import org.jspecify.annotations.Nullable;

/**
 * How often guesses came true lately, by where they came from: of the lookup's also by how many tokens before them were
 * the same. A guess counts once all those before it came true, whether it was computed or not, so what is off goes on
 * being measured.
 */
public final class AcceptanceRates {
    private static final int CONSTRAINT = 0;
    private static final int MODEL = 1;
    private static final int FIRST_LOOKUP = 2;
    /** Longest match of each class but the last. */
    private static final int[] LOOKUP_MATCH_TOKENS_MAX = {2, 3, 5, 8, 16, 32};

    /** What is assumed before anything was measured: of constraints, of models, and of each class of matches. */
    private static final double[] ASSUMED = {0.9, 0.6, 0.3, 0.45, 0.6, 0.7, 0.8, 0.9, 0.95};

    /** So many guesses as expected are assumed at first. */
    private static final double RATIO_GUESSES = 2;

    private final @Nullable AcceptanceRates parent;
    private final double parentGuesses;
    private final double kept;
    private final double[] guesses = new double[ASSUMED.length];
    private final double[] hits = new double[ASSUMED.length];
    /** Over all classes: guesses that came true, and those that the parent's rates let expect. */
    private double allHits;

    private double expectedHits;

    private AcceptanceRates(@Nullable AcceptanceRates parent, double parentGuesses, double memoryGuesses) {
        this.parent = parent;
        this.parentGuesses = parentGuesses;
        kept = 1 - 1 / memoryGuesses;
    }

    /** Those of an engine, over the last 1,000 guesses of a class or so. */
    public static AcceptanceRates ofEngine() {
        return new AcceptanceRates(null, 16, 1000);
    }

    /** Those of one of the engine's sequences, over its last 50 or so: the engine's, as long as it has few. */
    public AcceptanceRates ofSequence() {
        return new AcceptanceRates(this, 6, 50);
    }

    /**
     * The class of a guess.
     *
     * @param matchTokens of a lookup: how many tokens before it were the same, guesses included
     */
    public static int classOf(DrafterKind kind, int matchTokens) {
        return switch (kind) {
            case CONSTRAINT -> CONSTRAINT;
            case MODEL -> MODEL;
            case LOOKUP -> {
                int index = 0;
                while (index < LOOKUP_MATCH_TOKENS_MAX.length && matchTokens > LOOKUP_MATCH_TOKENS_MAX[index]) {
                    index++;
                }
                yield FIRST_LOOKUP + index;
            }
        };
    }

    /** The share of guesses of a class that come true, 0 to 1. */
    public double rate(int guessClass) {
        double before = parent == null ? ASSUMED[guessClass] : parent.rate(guessClass) * ratioToParent();
        return (hits[guessClass] + parentGuesses * before) / (guesses[guessClass] + parentGuesses);
    }

    /**
     * A text that is not copied shows it in every class: below 1 where guesses come true more rarely than
     * elsewhere.
     */
    private double ratioToParent() {
        return Math.min(1, (allHits + RATIO_GUESSES) / (expectedHits + RATIO_GUESSES));
    }

    /** Notes whether a guess came true, for the parent too. */
    public void note(int guessClass, boolean hit) {
        guesses[guessClass] = guesses[guessClass] * kept + 1;
        hits[guessClass] = hits[guessClass] * kept + (hit ? 1 : 0);
        if (parent != null) {
            allHits = allHits * kept + (hit ? 1 : 0);
            expectedHits = expectedHits * kept + parent.rate(guessClass);
            parent.note(guessClass, hit);
        }
    }
}
