package io.millrace.grammar;

import java.util.HashMap;
import java.util.Map;

/** Adds the UTF-8 of sets of code points to an automaton. */
final class Utf8Ranges {
    /** Last code point of one, two, three and four bytes. */
    private static final int[] LAST_OF_LENGTH = {0x7F, 0x7FF, 0xFFFF, Character.MAX_CODE_POINT};

    private final Nfa nfa;
    private final int end;

    /** Nodes from which given ranges of bytes lead to the end; two sequences with the same tail share it. */
    private final Map<Long, Integer> tails = new HashMap<>();

    private Utf8Ranges(Nfa nfa, int end) {
        this.nfa = nfa;
        this.end = end;
    }

    /** Adds edges for one code point of a set between two nodes. */
    static void add(Nfa nfa, CodePointSet set, int start, int end) {
        Utf8Ranges ranges = new Utf8Ranges(nfa, end);
        for (CodePointRange range : set.ranges()) {
            ranges.addWithoutSurrogates(start, range.first(), range.last());
        }
    }

    private void addWithoutSurrogates(int start, int first, int last) {
        if (first < Character.MIN_SURROGATE) {
            addByLength(start, first, Math.min(last, Character.MIN_SURROGATE - 1));
        }
        if (last > Character.MAX_SURROGATE) {
            addByLength(start, Math.max(first, Character.MAX_SURROGATE + 1), last);
        }
    }

    private void addByLength(int start, int first, int last) {
        int low = first;
        for (int length = 1; length <= 4; length++) {
            int high = Math.min(last, LAST_OF_LENGTH[length - 1]);
            if (low <= high) {
                addSplit(start, low, high, length);
                low = high + 1;
            }
        }
    }

    /** Splits a range of equal length until each of its bytes runs through a range of its own. */
    private void addSplit(int start, int first, int last, int length) {
        for (int position = 1; position < length; position++) {
            int mask = (1 << (6 * position)) - 1;
            if ((first & ~mask) != (last & ~mask)) {
                if ((first & mask) != 0) {
                    addSplit(start, first, first | mask, length);
                    addSplit(start, (first | mask) + 1, last, length);
                    return;
                }
                if ((last & mask) != mask) {
                    addSplit(start, first, (last & ~mask) - 1, length);
                    addSplit(start, last & ~mask, last, length);
                    return;
                }
            }
        }
        long tail = 0;
        int node = end;
        for (int index = length - 1; index >= 1; index--) {
            int low = octet(first, length, index);
            int high = octet(last, length, index);
            tail = tail << 16 | low << 8 | high;
            int next = node;
            Integer known = tails.get(tail);
            if (known == null) {
                known = nfa.addNode();
                nfa.addBytes(known, low, high, next);
                tails.put(tail, known);
            }
            node = known;
        }
        nfa.addBytes(start, octet(first, length, 0), octet(last, length, 0), node);
    }

    /** Returns a byte of a code point's UTF-8 of some length. */
    private static int octet(int codePoint, int length, int index) {
        int bits = codePoint >> (6 * (length - 1 - index));
        if (index > 0) {
            return 0x80 | bits & 0x3F;
        }
        return switch (length) {
            case 1 -> bits;
            case 2 -> 0xC0 | bits;
            case 3 -> 0xE0 | bits;
            default -> 0xF0 | bits;
        };
    }
}
