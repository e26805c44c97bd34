package io.millrace.engine.testing;

import io.millrace.engine.Constraint;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A pseudo-random language: which tokens may come next is a hash of those before. In some states there is a choice, in
 * others one token only, and runs of those are its forced tokens. Guesses of forced tokens are sometimes wrong, as
 * those of another tokenisation are.
 */
public final class TestingConstraint implements Constraint {
    private final int vocabSize;
    private final long state;

    private TestingConstraint(int vocabSize, long state) {
        this.vocabSize = vocabSize;
        this.state = state;
    }

    /** The start of one of many languages over a vocabulary. */
    public static TestingConstraint start(int vocabSize, long seed) {
        return new TestingConstraint(vocabSize, mix(seed + 1));
    }

    @Override
    public long[] allowed() {
        long[] words = new long[(vocabSize + Long.SIZE - 1) / Long.SIZE];
        int only = onlyToken();
        if (only >= 0) {
            words[only / Long.SIZE] |= 1L << only;
            return words;
        }
        for (int id = 0; id < vocabSize; id++) {
            if (isInChoice(id)) {
                words[id / Long.SIZE] |= 1L << id;
            }
        }
        return words;
    }

    @Override
    public @Nullable Constraint after(int tokenId) {
        return allows(tokenId) ? next(tokenId) : null;
    }

    @Override
    public int[] forced(int limit) {
        int[] tokens = new int[limit];
        int count = 0;
        TestingConstraint at = this;
        while (count < limit && at.onlyToken() >= 0) {
            int token = at.onlyToken();
            boolean wrong = (at.state >>> 40) % 11 == 0;
            tokens[count++] = wrong ? (token + 1) % vocabSize : token;
            at = at.next(token);
        }
        return Arrays.copyOf(tokens, count);
    }

    /** Whether a token may come next. */
    public boolean allows(int tokenId) {
        int only = onlyToken();
        return tokenId >= 0 && tokenId < vocabSize && (only >= 0 ? tokenId == only : isInChoice(tokenId));
    }

    private TestingConstraint next(int tokenId) {
        return new TestingConstraint(vocabSize, mix(state * 31 + tokenId + 1));
    }

    /** The token of a state without a choice, or -1. */
    private int onlyToken() {
        return (state & 3) == 0 ? -1 : (int) ((state >>> 8) % vocabSize);
    }

    private boolean isInChoice(int id) {
        return id == (int) ((state >>> 8) % vocabSize) || (mix(state + id) & 7) == 0;
    }

    private static long mix(long value) {
        long z = value * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
