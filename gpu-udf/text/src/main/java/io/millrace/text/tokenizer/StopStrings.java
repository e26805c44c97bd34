package io.millrace.text.tokenizer;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Strings at which a text ends, none of which is part of it. The one that is complete first ends it; of those complete
 * with the same character, the first in the list. What matches does not depend on how the text is cut into pieces.
 */
public final class StopStrings {
    /** Most stop strings. */
    public static final int COUNT_MAX = 64;

    /** Most characters of a stop string: so much text may have to be held back. */
    public static final int LENGTH_MAX = 4096;

    private final String[] stops;
    /** By Knuth, Morris and Pratt: how many of so many matched characters still match when the next one does not. */
    private final int[][] failures;

    /**
     * Ends texts at any of these strings.
     *
     * @throws ServingException {@code INVALID_REQUEST} if one is empty or longer than {@link #LENGTH_MAX}, or there are
     *     more than {@link #COUNT_MAX}
     */
    public StopStrings(List<String> stops) {
        check(stops.size() <= COUNT_MAX, "stop must have at most " + COUNT_MAX + " strings: " + stops.size());
        this.stops = stops.toArray(String[]::new);
        this.failures = new int[this.stops.length][];
        for (int i = 0; i < this.stops.length; i++) {
            int length = this.stops[i].length();
            check(length > 0, "stop[" + i + "] is empty");
            check(length <= LENGTH_MAX, "stop[" + i + "] must have at most " + LENGTH_MAX + " characters: " + length);
            failures[i] = failures(this.stops[i]);
        }
    }

    /** Whether there are none. */
    public boolean isEmpty() {
        return stops.length == 0;
    }

    /** Starts a text. */
    public Matcher newMatcher() {
        return new Matcher();
    }

    private static void check(boolean holds, String message) {
        if (!holds) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, message, "stop", null);
        }
    }

    private static int[] failures(String stop) {
        int[] failures = new int[stop.length() + 1];
        int matched = 0;
        for (int i = 1; i < stop.length(); i++) {
            while (matched > 0 && stop.charAt(i) != stop.charAt(matched)) {
                matched = failures[matched];
            }
            matched += stop.charAt(i) == stop.charAt(matched) ? 1 : 0;
            failures[i + 1] = matched;
        }
        return failures;
    }

    /**
     * What a piece of text brought.
     *
     * @param text what is now certain to be in front of any stop string; may be empty
     * @param matched the stop string that ended the text, or null
     */
    public record Result(String text, @Nullable String matched) {}

    /** One text's matching: text that may yet turn out to be a stop string is held back. Used by one thread. */
    public final class Matcher {
        private final int[] matched = new int[stops.length];
        private final StringBuilder held = new StringBuilder();
        private @Nullable String match;

        private Matcher() {}

        /** Takes the next piece of the text. Nothing comes out any more once a stop string has matched. */
        public Result accept(String piece) {
            if (match != null) {
                return new Result("", match);
            }
            for (int i = 0; i < piece.length(); i++) {
                held.append(piece.charAt(i));
                int stop = advance(piece.charAt(i));
                if (stop >= 0) {
                    match = stops[stop];
                    held.setLength(held.length() - match.length());
                    return new Result(flush(), match);
                }
            }
            int heldBack = 0;
            for (int count : matched) {
                heldBack = Math.max(heldBack, count);
            }
            String text = held.substring(0, held.length() - heldBack);
            held.delete(0, text.length());
            return new Result(text, null);
        }

        /** Ends the text: returns what was held back. */
        public String flush() {
            String rest = held.toString();
            held.setLength(0);
            return rest;
        }

        /** Returns the first stop string that the next character completes, or -1. */
        private int advance(char c) {
            int first = -1;
            for (int i = 0; i < stops.length; i++) {
                int count = matched[i];
                while (count > 0 && stops[i].charAt(count) != c) {
                    count = failures[i][count];
                }
                count += stops[i].charAt(count) == c ? 1 : 0;
                matched[i] = count;
                first = first < 0 && count == stops[i].length() ? i : first;
            }
            return first;
        }
    }
}
