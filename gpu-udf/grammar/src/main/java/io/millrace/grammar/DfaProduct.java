package io.millrace.grammar;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Runs two automata side by side. */
final class DfaProduct {
    /** Whether a text is of the result, by whether it is of each. */
    interface Rule {
        /** Returns whether a text is of the result. */
        boolean accepts(boolean first, boolean second);
    }

    private DfaProduct() {}

    static Dfa of(Dfa first, Dfa second, Rule rule, GrammarLimits limits) {
        int[] classes = new int[256];
        int[] octets = new int[256];
        Map<Integer, Integer> classesByPair = new HashMap<>();
        for (int octet = 0; octet < 256; octet++) {
            int pair = (first.byteClasses[octet] & 0xFF) << 8 | second.byteClasses[octet] & 0xFF;
            int known = classesByPair.size();
            classes[octet] = classesByPair.computeIfAbsent(pair, key -> known);
            octets[classes[octet]] = octet;
        }
        int classCount = classesByPair.size();
        Map<Long, Integer> numbers = new HashMap<>();
        IntList firsts = new IntList();
        IntList seconds = new IntList();
        IntList table = new IntList();
        numbers.put(key(0, 0), 0);
        firsts.add(0);
        seconds.add(0);
        for (int state = 0; state < firsts.size(); state++) {
            DfaMinimizer.checkSize(firsts.size(), classCount, limits);
            for (int index = 0; index < classCount; index++) {
                int nextFirst = next(first, firsts.get(state), octets[index]);
                int nextSecond = next(second, seconds.get(state), octets[index]);
                boolean dead = nextFirst == Dfa.DEAD && (nextSecond == Dfa.DEAD || !rule.accepts(false, true))
                        || nextSecond == Dfa.DEAD && !rule.accepts(true, false);
                if (dead) {
                    table.add(Dfa.DEAD);
                    continue;
                }
                Integer known = numbers.get(key(nextFirst, nextSecond));
                if (known == null) {
                    known = firsts.size();
                    numbers.put(key(nextFirst, nextSecond), known);
                    firsts.add(nextFirst);
                    seconds.add(nextSecond);
                }
                table.add(known);
            }
        }
        boolean[] accepting = new boolean[firsts.size()];
        for (int state = 0; state < accepting.length; state++) {
            accepting[state] = rule.accepts(accepts(first, firsts.get(state)), accepts(second, seconds.get(state)));
        }
        return DfaMinimizer.minimal(Arrays.copyOf(classes, 256), classCount, table.toArray(), accepting);
    }

    private static int next(Dfa dfa, int state, int octet) {
        return state == Dfa.DEAD ? Dfa.DEAD : dfa.next(state, octet);
    }

    private static boolean accepts(Dfa dfa, int state) {
        return state != Dfa.DEAD && dfa.accepts(state);
    }

    private static long key(int first, int second) {
        return (long) first << 32 | second & 0xFFFFFFFFL;
    }
}
