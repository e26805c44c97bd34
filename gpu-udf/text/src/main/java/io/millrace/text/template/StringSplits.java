package io.millrace.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The methods of Python's strings that cut them. */
final class StringSplits {
    private StringSplits() {}

    /** Splits at a separator, or at runs of white space, at most {@code maxsplit} times. */
    static List<Object> split(String text, Arguments.Bound arguments, boolean fromEnd) {
        int most = arguments.integer(1, -1);
        if (arguments.get(0, None.NONE) instanceof None) {
            return fromEnd ? wordsFromEnd(text, most) : words(text, most);
        }
        String separator = arguments.text(0, "");
        if (separator.isEmpty()) {
            throw TemplateException.of("empty separator");
        }
        List<Object> parts = new ArrayList<>();
        if (!fromEnd) {
            int position = 0;
            for (int at = text.indexOf(separator); at >= 0 && most-- != 0; at = text.indexOf(separator, position)) {
                parts.add(text.substring(position, at));
                position = at + separator.length();
            }
            parts.add(text.substring(position));
            return parts;
        }
        int end = text.length();
        for (int at = text.lastIndexOf(separator); at >= 0 && most-- != 0; ) {
            parts.add(text.substring(at + separator.length(), end));
            end = at;
            at = end < separator.length() ? -1 : text.lastIndexOf(separator, end - separator.length());
        }
        parts.add(text.substring(0, end));
        Collections.reverse(parts);
        return parts;
    }

    private static List<Object> words(String text, int maxSplit) {
        List<Object> words = new ArrayList<>();
        int most = maxSplit;
        int begin = wordBegin(text, 0);
        while (begin < text.length()) {
            if (most-- == 0) {
                words.add(text.substring(begin));
                break;
            }
            int end = begin;
            while (end < text.length() && !PythonText.isSpace(text.charAt(end))) {
                end++;
            }
            words.add(text.substring(begin, end));
            begin = wordBegin(text, end);
        }
        return words;
    }

    private static int wordBegin(String text, int from) {
        int at = from;
        while (at < text.length() && PythonText.isSpace(text.charAt(at))) {
            at++;
        }
        return at;
    }

    private static List<Object> wordsFromEnd(String text, int maxSplit) {
        List<Object> words = new ArrayList<>();
        int most = maxSplit;
        int end = wordEnd(text, text.length());
        while (end > 0) {
            if (most-- == 0) {
                words.add(text.substring(0, end));
                break;
            }
            int begin = end;
            while (begin > 0 && !PythonText.isSpace(text.charAt(begin - 1))) {
                begin--;
            }
            words.add(text.substring(begin, end));
            end = wordEnd(text, begin);
        }
        Collections.reverse(words);
        return words;
    }

    private static int wordEnd(String text, int from) {
        int at = from;
        while (at > 0 && PythonText.isSpace(text.charAt(at - 1))) {
            at--;
        }
        return at;
    }

    /** Splits into lines, at all that Unicode counts as the end of one. */
    static List<Object> lines(String text, Arguments arguments) {
        boolean keepEnds = arguments.bind("splitlines", 0, "keepends").flag(0, false);
        List<Object> lines = new ArrayList<>();
        int begin = 0;
        for (int i = 0; i < text.length(); i++) {
            if (!isLineEnd(text.charAt(i))) {
                continue;
            }
            int next = text.startsWith("\r\n", i) ? i + 2 : i + 1;
            lines.add(text.substring(begin, keepEnds ? next : i));
            begin = next;
            i = next - 1;
        }
        if (begin < text.length()) {
            lines.add(text.substring(begin));
        }
        return lines;
    }

    private static boolean isLineEnd(char c) {
        return (c >= '\n' && c <= '\r') || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
    }

    /** Cuts at the first or last separator into three. */
    static Tuple partition(String text, Arguments arguments, boolean fromEnd) {
        String separator = arguments.bind("partition", 1, "sep").text(0, "");
        if (separator.isEmpty()) {
            throw TemplateException.of("empty separator");
        }
        int at = fromEnd ? text.lastIndexOf(separator) : text.indexOf(separator);
        if (at < 0) {
            return fromEnd ? Tuple.of("", "", text) : Tuple.of(text, "", "");
        }
        return Tuple.of(text.substring(0, at), separator, text.substring(at + separator.length()));
    }
}
