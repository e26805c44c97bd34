package io.millrace.grammar;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Makes sets of stacks, and keeps them so that equal ones are the same. Not safe for several threads. */
final class StackTable {
    private final Map<Stacks, Stacks> known = new HashMap<>();
    private final Map<Pair, Stacks> unions = new HashMap<>();

    private static final class Pair {
        private final Stacks first;
        private final Stacks second;

        Pair(Stacks first, Stacks second) {
            this.first = first;
            this.second = second;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Pair pair && first == pair.first && second == pair.second;
        }

        @Override
        public int hashCode() {
            return 31 * first.hashCode() + second.hashCode();
        }
    }

    int size() {
        return known.size() + unions.size();
    }

    /** Returns the stacks with a node more on each. */
    Stacks push(int node, Stacks stacks) {
        return keep(new Stacks(false, new int[] {node}, new Stacks[] {stacks}, stacks.depth + 1));
    }

    /** Returns the stacks of both; the first of them itself if the other adds nothing. */
    Stacks union(Stacks first, Stacks second) {
        if (first == second) {
            return first;
        }
        Pair pair = new Pair(first, second);
        Stacks union = unions.get(pair);
        if (union == null) {
            union = merge(first, second);
            unions.put(pair, union);
        }
        return union;
    }

    private Stacks merge(Stacks first, Stacks second) {
        int[] nodes = new int[first.nodes.length + second.nodes.length];
        Stacks[] below = new Stacks[nodes.length];
        int count = 0;
        int i = 0;
        int j = 0;
        while (i < first.nodes.length || j < second.nodes.length) {
            boolean ofFirst = j == second.nodes.length || i < first.nodes.length && first.nodes[i] <= second.nodes[j];
            boolean ofSecond = i == first.nodes.length || j < second.nodes.length && second.nodes[j] <= first.nodes[i];
            if (ofFirst && ofSecond) {
                below[count] = union(first.below[i], second.below[j]);
            } else {
                below[count] = ofFirst ? first.below[i] : second.below[j];
            }
            nodes[count++] = ofFirst ? first.nodes[i] : second.nodes[j];
            i += ofFirst ? 1 : 0;
            j += ofSecond ? 1 : 0;
        }
        boolean bottom = first.bottom || second.bottom;
        int depth = Math.max(first.depth, second.depth);
        boolean sameAsFirst = count == first.nodes.length && bottom == first.bottom && depth == first.depth;
        for (int k = 0; k < count && sameAsFirst; k++) {
            sameAsFirst = below[k] == first.below[k];
        }
        return sameAsFirst
                ? first
                : keep(new Stacks(bottom, Arrays.copyOf(nodes, count), Arrays.copyOf(below, count), depth));
    }

    private Stacks keep(Stacks stacks) {
        Stacks same = known.putIfAbsent(stacks, stacks);
        return same == null ? stacks : same;
    }
}
