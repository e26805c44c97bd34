package io.millrace.engine;

import java.util.Arrays;

/** Sets of tokens as bits: token i where bit {@code i % 64} of word {@code i / 64} is set. */
final class TokenMask {
    private TokenMask() {}

    /** Makes the logits of all tokens that a mask does not have negative infinity. */
    static void apply(long[] mask, float[] logits) {
        int words = Math.min(mask.length, (logits.length + Long.SIZE - 1) / Long.SIZE);
        for (int word = 0; word < words; word++) {
            int from = word * Long.SIZE;
            int to = Math.min(from + Long.SIZE, logits.length);
            long missing = ~mask[word];
            if (missing == -1) {
                Arrays.fill(logits, from, to, Float.NEGATIVE_INFINITY);
                continue;
            }
            while (missing != 0) {
                int id = from + Long.numberOfTrailingZeros(missing);
                missing &= missing - 1;
                if (id < to) {
                    logits[id] = Float.NEGATIVE_INFINITY;
                }
            }
        }
        if (words * Long.SIZE < logits.length) {
            Arrays.fill(logits, words * Long.SIZE, logits.length, Float.NEGATIVE_INFINITY);
        }
    }

    /** Whether a mask has any token. */
    static boolean allowsAny(long[] mask, int vocabSize) {
        return allowsOthers(mask, new int[0], vocabSize);
    }

    /** Whether a mask has a token of the vocabulary that is not among the sorted ones. */
    static boolean allowsOthers(long[] mask, int[] sortedTokenIds, int vocabSize) {
        for (int word = 0; word < mask.length; word++) {
            for (long left = mask[word]; left != 0; left &= left - 1) {
                int id = word * Long.SIZE + Long.numberOfTrailingZeros(left);
                if (id >= vocabSize) {
                    return false;
                }
                if (Arrays.binarySearch(sortedTokenIds, id) < 0) {
                    return true;
                }
            }
        }
        return false;
    }
}
