package io.millrace.text.tokenizer;

/** Hashes and compares ranges of characters. They are short here, for which plain loops are fastest. */
final class CharRanges {
    private CharRanges() {}

    /** Returns a hash whose upper bits are well mixed. */
    static int hash(char[] text, int start, int end) {
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = hash * 31 + text[i];
        }
        return (hash ^ hash >>> 15) * 0x9E3779B9;
    }

    /** Whether a text equals a range of another. */
    static boolean equal(char[] whole, char[] text, int start, int end) {
        if (whole.length != end - start) {
            return false;
        }
        for (int i = 0; i < whole.length; i++) {
            if (whole[i] != text[start + i]) {
                return false;
            }
        }
        return true;
    }
}
