package io.millrace.text.template;

/** Finds where numbers end, as Jinja spells them: underscores between digits, {@code 0x}, {@code 0o} and {@code 0b}. */
final class NumberLexer {
    private NumberLexer() {}

    /** Returns where the float that begins here ends, or -1 if none does. */
    static int floatEnd(String source, int from) {
        int end = digits(source, from, 10);
        int fraction = end < source.length() && source.charAt(end) == '.' ? digits(source, end + 1, 10) : -1;
        boolean hasFraction = fraction > end + 1;
        if (hasFraction) {
            end = fraction;
        }
        int exponent = exponentEnd(source, end);
        if (exponent > 0) {
            return exponent;
        }
        return hasFraction ? end : -1;
    }

    private static int exponentEnd(String source, int at) {
        if (at >= source.length() || (source.charAt(at) != 'e' && source.charAt(at) != 'E')) {
            return -1;
        }
        int from = at + 1;
        if (from < source.length() && (source.charAt(from) == '+' || source.charAt(from) == '-')) {
            from++;
        }
        int end = digits(source, from, 10);
        return end > from ? end : -1;
    }

    /** Returns where the integer that begins here ends. */
    static int integerEnd(String source, int from) {
        if (source.charAt(from) != '0') {
            return digits(source, from, 10);
        }
        int radix = from + 1 < source.length() ? radix(source.charAt(from + 1)) : 0;
        if (radix > 0) {
            int begin = from + 2 < source.length() && source.charAt(from + 2) == '_' ? from + 3 : from + 2;
            int end = digits(source, begin, radix);
            if (end > begin) {
                return end;
            }
        }
        int end = from + 1;
        while (end < source.length() && source.charAt(end) == '0') {
            end++;
        }
        return end;
    }

    private static int radix(char letter) {
        return switch (Character.toLowerCase(letter)) {
            case 'x' -> 16;
            case 'o' -> 8;
            case 'b' -> 2;
            default -> 0;
        };
    }

    /** Returns the end of a run of ASCII digits with single underscores between them. */
    private static int digits(String source, int from, int radix) {
        int at = from;
        while (at < source.length()) {
            char c = source.charAt(at);
            if (isDigit(c, radix)) {
                at++;
            } else if (c == '_' && at > from && at + 1 < source.length() && isDigit(source.charAt(at + 1), radix)) {
                at += 2;
            } else {
                break;
            }
        }
        return at;
    }

    private static boolean isDigit(char c, int radix) {
        return c < 128 && Character.digit(c, radix) >= 0;
    }
}
