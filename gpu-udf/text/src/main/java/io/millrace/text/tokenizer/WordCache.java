package io.millrace.text.tokenizer;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The tokens of words seen lately. A word has one slot, which the last word that was put there has: no memory grows and
 * no lock is taken. Safe for use by several threads.
 */
final class WordCache {
    private static final int SLOTS = 1 << 14;

    /** Longer words are rare and would make the cache's size depend on the text. */
    private static final int WORD_CHARS_MAX = 32;

    private record Entry(char[] word, int[] tokens) {}

    private final AtomicReferenceArray<@Nullable Entry> slots = new AtomicReferenceArray<>(SLOTS);

    int @Nullable [] find(char[] text, int start, int end) {
        if (end - start > WORD_CHARS_MAX) {
            return null;
        }
        Entry entry = slots.get(slot(text, start, end));
        return entry != null && CharRanges.equal(entry.word, text, start, end) ? entry.tokens : null;
    }

    void put(char[] text, int start, int end, int[] tokens) {
        if (end - start <= WORD_CHARS_MAX) {
            slots.set(slot(text, start, end), new Entry(Arrays.copyOfRange(text, start, end), tokens));
        }
    }

    private static int slot(char[] text, int start, int end) {
        int hash = CharRanges.hash(text, start, end);
        return hash >>> 32 - Integer.numberOfTrailingZeros(SLOTS);
    }
}
