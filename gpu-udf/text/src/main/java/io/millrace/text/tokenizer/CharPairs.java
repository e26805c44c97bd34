package io.millrace.text.tokenizer;

import java.util.BitSet;

/**
 * Which characters stand side by side in some token of a vocabulary. Where a text has two that never do, no merge can
 * reach across, so the text may be cut there. Pairs are kept as a Bloom filter with one hash: a pair that is taken for
 * one of a token only leaves a text uncut.
 */
final class CharPairs {
    private static final int BITS = 24;

    private final BitSet pairs = new BitSet(1 << BITS);

    /** Adds the pairs of a token's text. */
    void add(String text) {
        for (int i = 1; i < text.length(); i++) {
            pairs.set(hash(text.charAt(i - 1), text.charAt(i)));
        }
    }

    /** Whether a token may have these characters side by side. */
    boolean mayContain(char left, char right) {
        return pairs.get(hash(left, right));
    }

    private static int hash(char left, char right) {
        return (left << 16 | right) * 0x9E3779B9 >>> 32 - BITS;
    }
}
