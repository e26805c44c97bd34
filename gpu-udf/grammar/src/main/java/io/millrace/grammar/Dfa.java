package io.millrace.grammar;

import static java.util.Objects.requireNonNull;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A deterministic automaton over bytes: a regular language. Immutable. Every state lies on a way from the start to an
 * end, except the start where the language is empty; the smallest automaton of its language, so that two are equal if
 * they match the same texts.
 */
public final class Dfa {
    /** What {@link #next} returns where no text goes on. */
    public static final int DEAD = -1;

    /** Class of each byte; bytes of one class go the same way in every state. */
    final byte[] byteClasses;

    /** Number of classes. */
    final int classCount;

    /** State after {@code state * classCount + class}, or {@link #DEAD}. */
    final int[] table;

    final boolean[] accepting;

    /** The start is state 0. The arrays are not copied. */
    Dfa(byte[] byteClasses, int classCount, int[] table, boolean[] accepting) {
        this.byteClasses = requireNonNull(byteClasses, "byteClasses");
        this.classCount = classCount;
        this.table = requireNonNull(table, "table");
        this.accepting = requireNonNull(accepting, "accepting");
    }

    /** Returns the number of states; the start is state 0. */
    public int stateCount() {
        return accepting.length;
    }

    /**
     * Returns the state after a byte.
     *
     * @param octet byte, 0 to 255
     * @return the state, or {@link #DEAD}
     */
    public int next(int state, int octet) {
        return table[state * classCount + (byteClasses[octet] & 0xFF)];
    }

    /** Whether a text may end in a state. */
    public boolean accepts(int state) {
        return accepting[state];
    }

    /** Whether a text is of the language. */
    public boolean matches(byte[] text) {
        int state = 0;
        for (byte octet : text) {
            state = next(state, octet & 0xFF);
            if (state == DEAD) {
                return false;
            }
        }
        return accepting[state];
    }

    /** Whether the UTF-8 of a text is of the language. */
    public boolean matches(String text) {
        return matches(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Whether no text is of the language. */
    public boolean isEmpty() {
        return accepting.length == 1 && !accepting[0];
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Dfa dfa
                && classCount == dfa.classCount
                && Arrays.equals(accepting, dfa.accepting)
                && Arrays.equals(byteClasses, dfa.byteClasses)
                && Arrays.equals(table, dfa.table);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(table) + Arrays.hashCode(accepting);
    }

    @Override
    public String toString() {
        return "Dfa of " + accepting.length + " states";
    }
}
