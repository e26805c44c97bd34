package io.millrace.text.tokenizer;

/** Finds tokens by their text, where that is a range of a longer text: an open-addressing hash table. */
final class TokenTexts {
    private final char[][] texts;
    private final int[] hashes;
    private final int[] tokens;
    private final int shift;
    private final int lengthMax;

    /** Makes an empty table for at most so many texts, none longer than {@code lengthMax}. */
    TokenTexts(int capacity, int lengthMax) {
        int bits = 33 - Integer.numberOfLeadingZeros(Math.max(8, capacity));
        this.texts = new char[1 << bits][];
        this.hashes = new int[1 << bits];
        this.tokens = new int[1 << bits];
        this.shift = 32 - bits;
        this.lengthMax = lengthMax;
    }

    /** Puts a text's token in; the last one counts. */
    void put(String text, int token) {
        char[] chars = text.toCharArray();
        int hash = CharRanges.hash(chars, 0, chars.length);
        int slot = slot(hash, chars, 0, chars.length);
        texts[slot] = chars;
        hashes[slot] = hash;
        tokens[slot] = token;
    }

    /** Returns the token that a range of a text is, or -1. */
    int find(char[] text, int start, int end) {
        if (end - start > lengthMax) {
            return -1;
        }
        int slot = slot(CharRanges.hash(text, start, end), text, start, end);
        return texts[slot] == null ? -1 : tokens[slot];
    }

    private int slot(int hash, char[] text, int start, int end) {
        int slot = hash >>> shift;
        while (texts[slot] != null && (hashes[slot] != hash || !CharRanges.equal(texts[slot], text, start, end))) {
            slot = (slot + 1) & (texts.length - 1);
        }
        return slot;
    }
}
