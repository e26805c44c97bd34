package io.millrace.grammar;

/**
 * Code points from one to another, both included. Surrogates may lie inside; they have no UTF-8 bytes and match
 * nothing.
 *
 * @param first first code point, from 0
 * @param last last code point, at most 0x10FFFF
 */
public record CodePointRange(int first, int last) {
    public CodePointRange {
        if (first < 0 || last > Character.MAX_CODE_POINT || first > last) {
            throw new IllegalArgumentException("no range of code points: " + first + " to " + last);
        }
    }

    /** Returns the range of one code point. */
    public static CodePointRange of(int codePoint) {
        return new CodePointRange(codePoint, codePoint);
    }
}
