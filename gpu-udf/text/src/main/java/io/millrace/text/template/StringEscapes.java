package io.millrace.text.template;

/** Turns the escapes of a string literal into the characters they stand for, as Python does. */
final class StringEscapes {
    private StringEscapes() {}

    /** Returns the value of a literal's inside; an unknown escape stays as it is written. */
    static String unescape(String body, int line) {
        if (body.indexOf('\\') < 0) {
            return body;
        }
        StringBuilder out = new StringBuilder(body.length());
        int at = 0;
        while (at < body.length()) {
            char c = body.charAt(at);
            if (c != '\\' || at + 1 >= body.length()) {
                out.append(c);
                at++;
                continue;
            }
            at = escape(body, at + 1, out, line);
        }
        return out.toString();
    }

    /** Appends the escape whose letter is at {@code at}; returns where to go on. */
    private static int escape(String body, int at, StringBuilder out, int line) {
        char c = body.charAt(at);
        switch (c) {
            case '\n' -> {}
            case 'n' -> out.append('\n');
            case 't' -> out.append('\t');
            case 'r' -> out.append('\r');
            case 'a' -> out.append('\u0007');
            case 'b' -> out.append('\b');
            case 'f' -> out.append('\f');
            case 'v' -> out.append('\u000b');
            case '\\', '\'', '"' -> out.append(c);
            case 'x' -> {
                return hex(body, at + 1, 2, out, line);
            }
            case 'u' -> {
                return hex(body, at + 1, 4, out, line);
            }
            case 'U' -> {
                return hex(body, at + 1, 8, out, line);
            }
            case '0', '1', '2', '3', '4', '5', '6', '7' -> {
                return octal(body, at, out);
            }
            default -> out.append('\\').append(c);
        }
        return at + 1;
    }

    private static int octal(String body, int from, StringBuilder out) {
        int at = from;
        int value = 0;
        while (at < body.length() && at < from + 3 && body.charAt(at) >= '0' && body.charAt(at) <= '7') {
            value = value * 8 + body.charAt(at++) - '0';
        }
        out.appendCodePoint(value);
        return at;
    }

    private static int hex(String body, int from, int length, StringBuilder out, int line) {
        int value = 0;
        for (int at = from; at < from + length; at++) {
            int digit = at < body.length() && body.charAt(at) < 128 ? Character.digit(body.charAt(at), 16) : -1;
            if (digit < 0) {
                throw TemplateException.at(line, "an escape in a string lacks hexadecimal digits");
            }
            value = value * 16 + digit;
        }
        if (!Character.isValidCodePoint(value)) {
            throw TemplateException.at(line, "an escape in a string is no character");
        }
        out.appendCodePoint(value);
        return from + length;
    }
}
