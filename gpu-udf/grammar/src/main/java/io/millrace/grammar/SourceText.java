package io.millrace.grammar;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import org.jspecify.annotations.Nullable;

/** A text that is being parsed, by code points, and where in it one is. */
final class SourceText {
    /** What {@link #peek} returns at the end. */
    static final int END = -1;

    /** Highest number that is read, far above what limits leave of it. */
    private static final int NUMBER_MAX = 100_000_000;

    private final String kind;
    private final int[] codePoints;
    private int position;

    /**
     * @param kind what the text is, for errors
     */
    SourceText(String kind, String text, GrammarLimits limits) {
        this.kind = kind;
        if (text.length() > limits.maxSourceChars()) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    "the " + kind + " has " + text.length() + " characters, the limit is " + limits.maxSourceChars());
        }
        this.codePoints = text.codePoints().toArray();
    }

    int position() {
        return position;
    }

    void back(int to) {
        position = to;
    }

    int peek() {
        return peek(0);
    }

    int peek(int ahead) {
        return position + ahead < codePoints.length ? codePoints[position + ahead] : END;
    }

    int take() {
        if (position == codePoints.length) {
            throw error("it ends too early");
        }
        return codePoints[position++];
    }

    boolean takeIf(int codePoint) {
        if (peek() == codePoint) {
            position++;
            return true;
        }
        return false;
    }

    /** Takes a text if it is what follows. */
    boolean takeIf(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (peek(i) != text.charAt(i)) {
                return false;
            }
        }
        position += text.length();
        return true;
    }

    void expect(int codePoint) {
        if (!takeIf(codePoint)) {
            throw error("'" + Character.toString(codePoint) + "' is missing");
        }
    }

    /** Takes hexadecimal digits, all of them. */
    int takeHex(int digits) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = peek() == END || peek() > 'f' ? -1 : Character.digit(peek(), 16);
            if (digit < 0) {
                throw error("a hexadecimal digit is missing");
            }
            value = value << 4 | digit;
            position++;
        }
        return value;
    }

    /** Takes a decimal number, or returns null if there is none. */
    @Nullable
    Integer takeNumber() {
        if (peek() < '0' || peek() > '9') {
            return null;
        }
        long value = 0;
        while (peek() >= '0' && peek() <= '9') {
            value = Math.min(NUMBER_MAX, value * 10 + take() - '0');
        }
        return (int) value;
    }

    /** Takes "n}", "n,}", "n,m}" or ",m}" after a brace, or nothing and returns null if it is something else. */
    @Nullable
    Expr takeCounts(Expr body) {
        int before = position;
        Integer least = takeNumber();
        Integer most = least;
        if (takeIf(',')) {
            most = takeNumber();
            if (least == null && most == null) {
                position = before;
                return null;
            }
            most = most == null ? Integer.valueOf(Expr.Repeat.UNBOUNDED) : most;
            least = least == null ? Integer.valueOf(0) : least;
        }
        if (least == null || most == null || !takeIf('}')) {
            position = before;
            return null;
        }
        if (most < least) {
            throw error("a repetition has its numbers in the wrong order");
        }
        return new Expr.Repeat(body, least, most);
    }

    /** Returns the error of something that is wrong where one is. */
    ServingException error(String what) {
        return new ServingException(
                ErrorCode.INVALID_REQUEST, "the " + kind + " is not supported: " + what + ", at " + place());
    }

    private String place() {
        int line = 1;
        int column = 1;
        for (int i = 0; i < position; i++) {
            column++;
            if (codePoints[i] == '\n') {
                line++;
                column = 1;
            }
        }
        return (line > 1 ? "line " + line + ", " : "") + "character " + column;
    }
}
