package io.millrace.grammar.json;

import static io.millrace.grammar.Expr.choice;
import static io.millrace.grammar.Expr.literal;
import static io.millrace.grammar.Expr.sequence;

import io.millrace.grammar.CodePointRange;
import io.millrace.grammar.CodePointSet;
import io.millrace.grammar.Expr;
import io.millrace.grammar.Expr.CharClass;
import io.millrace.grammar.Expr.Repeat;
import java.util.List;

/** How strings are written: which characters are escaped, and how. */
final class JsonStrings {
    /** What stands between the quotes as it is. */
    private static final CodePointSet RAW = new CodePointSet(List.of(
            new CodePointRange(0x20, 0x21),
            new CodePointRange(0x23, 0x5B),
            new CodePointRange(0x5D, Character.MAX_CODE_POINT)));

    private static final CharClass HEX = set("0123456789abcdefABCDEF");

    /** {@code \\uXXXX} of a character that is no surrogate, or two of a pair. */
    private static final Expr UNICODE = sequence(
            literal("u"),
            choice(
                    sequence(set("0123456789abcefABCEF"), new Repeat(HEX, 3, 3)),
                    sequence(set("dD"), set("01234567"), new Repeat(HEX, 2, 2)),
                    sequence(
                            set("dD"),
                            set("89abAB"),
                            new Repeat(HEX, 2, 2),
                            literal("\\u"),
                            set("dD"),
                            set("cdefCDEF"),
                            new Repeat(HEX, 2, 2))));

    /** One code point of a string, in every form that JSON has. */
    static final Expr CHARACTER =
            choice(new CharClass(RAW), sequence(literal("\\"), choice(set("\"\\/bfnrt"), UNICODE)));

    private static final String HEX_DIGITS = "0123456789abcdef";

    private JsonStrings() {}

    /** Returns the class of the characters of a text. */
    static CharClass set(String characters) {
        return new CharClass(CodePointSet.of(characters));
    }

    /** Returns a text as a string: quotes, and the escapes that must be. */
    static String quoted(String text) {
        StringBuilder out = new StringBuilder();
        write(text, out);
        return out.toString();
    }

    /** Writes a text as a string. */
    static void write(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            String escape = c < 0x20 || c == '"' || c == '\\' ? escape(c) : null;
            if (escape == null) {
                out.append(c);
            } else {
                out.append(escape);
            }
        }
        out.append('"');
    }

    /**
     * Returns how a byte of a string's UTF-8 is written where the string must match something: as it is if that can be,
     * else by the short escape if there is one, else by its number.
     */
    static String escape(int octet) {
        return switch (octet) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> "\\u00" + HEX_DIGITS.charAt(octet >> 4) + HEX_DIGITS.charAt(octet & 15);
        };
    }

    /** Whether a byte cannot stand in a string as it is. */
    static boolean isEscaped(int octet) {
        return octet < 0x20 || octet == '"' || octet == '\\';
    }
}
