package io.millrace.text.tokenizer;

/** Text as code points, without what JSON allows in a string and Unicode does not: half a surrogate pair. */
final class WellFormedText {
    private static final char REPLACEMENT = '\ufffd';

    private WellFormedText() {}

    /** Returns a text's characters, with U+FFFD for each lone surrogate. */
    static char[] of(String text) {
        char[] chars = text.toCharArray();
        for (int i = 0; i < chars.length; i++) {
            if (!Character.isSurrogate(chars[i])) {
                continue;
            }
            boolean pair = i + 1 < chars.length && Character.isSurrogatePair(chars[i], chars[i + 1]);
            if (pair) {
                i++;
            } else {
                chars[i] = REPLACEMENT;
            }
        }
        return chars;
    }
}
