package io.millrace.grammar;

import java.util.HashMap;
import java.util.Map;

/** Finds which tokens an automaton allows, without the stack that other rules need. */
final class DfaWalk {
    /** Most steps for finding states that are alike. Beyond, they are held to differ, which costs masks alone. */
    private static final int MAX_STEPS = 4_000_000;

    private DfaWalk() {}

    /**
     * Allows the tokens that may come from a state.
     *
     * @param exits takes the nodes of the trie, with others below them, where the text may end
     */
    static void walk(GrammarVocabulary vocabulary, Dfa dfa, int start, long[] mask, IntList exits) {
        byte[] classes = dfa.byteClasses;
        int[] table = dfa.table;
        int classCount = dfa.classCount;
        boolean[] accepting = dfa.accepting;
        byte[] octets = vocabulary.octets;
        short[] depths = vocabulary.depths;
        int[] ends = vocabulary.ends;
        // What stays in one state needs no walk; but where the text may end, there are exits to be found.
        boolean skips = !accepting[start];
        long[] loops = new long[4];
        for (int octet = 0; octet < 256; octet++) {
            if (dfa.next(start, octet) == start) {
                loops[octet >> 6] |= 1L << octet;
            }
        }
        int[] path = new int[vocabulary.maxDepth + 1];
        path[0] = start;
        int end = ends[0];
        int node = 1;
        while (node < end) {
            int depth = depths[node];
            int state = table[path[depth - 1] * classCount + (classes[octets[node] & 0xFF] & 0xFF)];
            if (state == Dfa.DEAD) {
                node = ends[node];
                continue;
            }
            if (state == start && skips && vocabulary.isBelowWithin(node, loops)) {
                vocabulary.addTokens(node, ends[node], mask);
                node = ends[node];
                continue;
            }
            vocabulary.addTokens(node, node + 1, mask);
            if (accepting[state] && ends[node] > node + 1) {
                exits.add(node);
            }
            path[depth] = state;
            node++;
        }
    }

    /**
     * Returns the block of each state, such that states of one block allow the same texts up to a length, and may end
     * in the same places of them. Counters are many states, most of which are far from their end.
     */
    static int[] alikeWithin(Dfa dfa, int length) {
        int states = dfa.stateCount();
        int[] blocks = new int[states];
        int count = 1;
        for (int state = 0; state < states; state++) {
            blocks[state] = dfa.accepting[state] ? 1 : 0;
        }
        long steps = 0;
        for (int round = 0; round < length; round++) {
            steps += (long) states * dfa.classCount;
            if (steps > MAX_STEPS) {
                for (int state = 0; state < states; state++) {
                    blocks[state] = state;
                }
                return blocks;
            }
            Map<IntKey, Integer> numbers = new HashMap<>();
            int[] next = new int[states];
            for (int state = 0; state < states; state++) {
                int[] signature = new int[dfa.classCount + 1];
                signature[dfa.classCount] = blocks[state];
                for (int index = 0; index < dfa.classCount; index++) {
                    int target = dfa.table[state * dfa.classCount + index];
                    signature[index] = target == Dfa.DEAD ? Dfa.DEAD : blocks[target];
                }
                int number = numbers.size();
                Integer known = numbers.putIfAbsent(new IntKey(signature), number);
                next[state] = known == null ? number : known;
            }
            blocks = next;
            if (numbers.size() == count && round > 0) {
                break;
            }
            count = numbers.size();
        }
        return blocks;
    }
}
