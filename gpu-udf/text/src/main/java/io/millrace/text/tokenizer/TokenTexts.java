package io.millrace.text.tokenizer;

import java.util.Arrays;

/** Finds tokens by their text, where that is a range of a longer text: an open-addressing hash table. */
final class TokenTexts {
    private final char[][] texts;
    private final int[] tokens;
    private final int lengthMax;

    /** Makes an empty table for at most so many texts, none longer than {@code lengthMax}. */
    TokenTexts(int capacity, int lengthMax) {
        int slots = Integer.highestOneBit(Math.max(8, capacity)) * 4;
        this.texts = new char[slots][];
        this.tokens = new int[slots];
        this.lengthMax = lengthMax;
    }

    /** Puts a text's token in; the last one counts. */
    void put(String text, int token) {
        char[] chars = text.toCharArray();
        int slot = slot(chars, 0, chars.length);
        texts[slot] = chars;
        tokens[slot] = token;
    }

    /** Returns the token that a range of a text is, or -1. */
    int find(char[] text, int start, int end) {
        if (end - start > lengthMax) {
            return -1;
        }
        int slot = slot(text, start, end);
        return texts[slot] == null ? -1 : tokens[slot];
    }

    private int slot(char[] text, int start, int end) {
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = hash * 31 + text[i];
        }
        hash *= 0x9E3779B9;
        int slot = (hash ^ hash >>> 15) & (texts.length - 1);
        while (texts[slot] != null && !matches(texts[slot], text, start, end)) {
            slot = (slot + 1) & (texts.length - 1);
        }
        return slot;
    }

    private static boolean matches(char[] candidate, char[] text, int start, int end) {
        return Arrays.equals(candidate, 0, candidate.length, text, start, end);
    }
}
