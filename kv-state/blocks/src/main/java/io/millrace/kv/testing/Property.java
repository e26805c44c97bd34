package io.millrace.kv.testing;

import java.util.Random;

/** A small property test: runs a check on many seeded random sources, and names the seed of the one that fails. */
public final class Property {
    private Property() {}

    /** A check of one random case. */
    @FunctionalInterface
    public interface Check {
        /** Fails with whatever it throws. */
        void run(Random random) throws Exception;
    }

    /**
     * Runs {@code count} cases; case i has the seed {@code seed + i}, so a failing one runs alone as {@code
     * forAll(failingSeed, 1, check)}.
     */
    public static void forAll(long seed, int count, Check check) {
        for (int i = 0; i < count; i++) {
            long caseSeed = seed + i;
            try {
                check.run(new Random(caseSeed));
            } catch (Exception | AssertionError | StackOverflowError e) {
                throw new AssertionError("the property fails for seed " + caseSeed + ": " + e.getMessage(), e);
            }
        }
    }
}
