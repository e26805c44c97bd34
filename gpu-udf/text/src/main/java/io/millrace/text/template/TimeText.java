package io.millrace.text.template;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Writes a time by the codes of C's {@code strftime}, in English. */
final class TimeText {
    private TimeText() {}

    static String format(String format, ZonedDateTime time) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 >= format.length()) {
                out.append(c);
                continue;
            }
            char code = format.charAt(++i);
            boolean bare = code == '-' && i + 1 < format.length();
            if (bare) {
                code = format.charAt(++i);
            }
            String text = field(code, time);
            out.append(bare ? withoutPadding(text) : text);
        }
        return out.toString();
    }

    private static String withoutPadding(String text) {
        int begin = 0;
        while (begin < text.length() - 1 && (text.charAt(begin) == '0' || text.charAt(begin) == ' ')) {
            begin++;
        }
        return text.substring(begin);
    }

    private static String field(char code, ZonedDateTime time) {
        return switch (code) {
            case 'Y' -> pattern("yyyy", time);
            case 'y' -> pattern("yy", time);
            case 'm' -> pattern("MM", time);
            case 'B' -> pattern("MMMM", time);
            case 'b', 'h' -> pattern("MMM", time);
            case 'd' -> pattern("dd", time);
            case 'e' -> pattern("ppd", time);
            case 'j' -> pattern("DDD", time);
            case 'A' -> pattern("EEEE", time);
            case 'a' -> pattern("EEE", time);
            case 'u' -> Integer.toString(time.getDayOfWeek().getValue());
            case 'w' -> Integer.toString(time.getDayOfWeek().getValue() % 7);
            case 'H' -> pattern("HH", time);
            case 'I' -> pattern("hh", time);
            case 'p' -> pattern("a", time).toUpperCase(Locale.ROOT);
            case 'M' -> pattern("mm", time);
            case 'S' -> pattern("ss", time);
            case 'f' -> pattern("SSSSSS", time);
            case 'F' -> pattern("yyyy-MM-dd", time);
            case 'D', 'x' -> pattern("MM/dd/yy", time);
            case 'T', 'X' -> pattern("HH:mm:ss", time);
            case 'R' -> pattern("HH:mm", time);
            case 'c' -> pattern("EEE MMM ppd HH:mm:ss yyyy", time);
            case 's' -> Long.toString(time.toEpochSecond());
            case 'n' -> "\n";
            case 't' -> "\t";
            case '%' -> "%";
            // The reference formats a time without a zone, for which these are empty.
            case 'z', 'Z' -> "";
            default -> "%" + code;
        };
    }

    private static String pattern(String pattern, ZonedDateTime time) {
        return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
    }
}
