package io.millrace.grammar;

import java.util.Arrays;

/** Makes the smallest automaton of a language, in a form that depends on the language alone. */
final class DfaMinimizer {
    private DfaMinimizer() {}

    /** Returns the smallest automaton of the same language. */
    static Dfa minimal(LocalAutomaton automaton, GrammarLimits limits) {
        int states = automaton.stateCount();
        boolean[] starts = new boolean[257];
        for (int edge = 0; edge < automaton.lows.size(); edge++) {
            starts[automaton.lows.get(edge)] = true;
            starts[automaton.highs.get(edge) + 1] = true;
        }
        int[] classes = new int[256];
        int classCount = 1;
        for (int octet = 1; octet < 256; octet++) {
            if (starts[octet]) {
                classCount++;
            }
            classes[octet] = classCount - 1;
        }
        checkSize(states, classCount, limits);
        int[] table = new int[states * classCount];
        Arrays.fill(table, Dfa.DEAD);
        boolean[] accepting = new boolean[states];
        for (int state = 0; state < states; state++) {
            accepting[state] = automaton.accepting.get(state);
            for (int edge = automaton.edgeStarts.get(state); edge < automaton.edgeStarts.get(state + 1); edge++) {
                int last = classes[automaton.highs.get(edge)];
                for (int index = classes[automaton.lows.get(edge)]; index <= last; index++) {
                    table[state * classCount + index] = automaton.targets.get(edge);
                }
            }
        }
        return minimal(classes, classCount, table, accepting);
    }

    /** Refuses tables that are too large. */
    static void checkSize(int states, int classCount, GrammarLimits limits) {
        if (states > limits.maxDfaStates()) {
            throw GrammarLimits.exceeded("has a deterministic automaton of too many states", limits.maxDfaStates());
        }
        if ((long) states * classCount > limits.maxEdges()) {
            throw GrammarLimits.exceeded("has a deterministic automaton of too many edges", limits.maxEdges());
        }
    }

    /** Returns the smallest automaton of the same language. The start is state 0. */
    static Dfa minimal(int[] classes, int classCount, int[] table, boolean[] accepting) {
        int states = accepting.length;
        // One state more, which no text leaves: where the automaton is dead.
        int[] complete = Arrays.copyOf(table, (states + 1) * classCount);
        for (int i = 0; i < complete.length; i++) {
            if (i >= table.length || complete[i] == Dfa.DEAD) {
                complete[i] = states;
            }
        }
        int[] blocks = new Partition(complete, classCount, Arrays.copyOf(accepting, states + 1)).refined();
        return canonical(classes, classCount, complete, accepting, blocks);
    }

    /** Numbers blocks in the order in which the bytes' order finds them, and merges bytes that never differ. */
    private static Dfa canonical(int[] classes, int classCount, int[] complete, boolean[] accepting, int[] blocks) {
        int states = accepting.length;
        int dead = blocks[states];
        int[] numbers = new int[states + 1];
        Arrays.fill(numbers, -1);
        IntList order = new IntList();
        order.add(0);
        numbers[blocks[0]] = 0;
        for (int i = 0; i < order.size(); i++) {
            for (int index = 0; index < classCount; index++) {
                int target = complete[order.get(i) * classCount + index];
                if (blocks[target] != dead && numbers[blocks[target]] < 0) {
                    numbers[blocks[target]] = order.size();
                    order.add(target);
                }
            }
        }
        int[] firstEqual = new int[classCount];
        int merged = 0;
        int[] representatives = new int[classCount];
        for (int index = 0; index < classCount; index++) {
            firstEqual[index] = -1;
            for (int known = 0; known < merged && firstEqual[index] < 0; known++) {
                if (sameColumn(complete, classCount, order, blocks, representatives[known], index)) {
                    firstEqual[index] = known;
                }
            }
            if (firstEqual[index] < 0) {
                firstEqual[index] = merged;
                representatives[merged++] = index;
            }
        }
        byte[] byteClasses = new byte[256];
        for (int octet = 0; octet < 256; octet++) {
            byteClasses[octet] = (byte) firstEqual[classes[octet]];
        }
        int[] table = new int[order.size() * merged];
        boolean[] ends = new boolean[order.size()];
        for (int state = 0; state < ends.length; state++) {
            ends[state] = accepting[order.get(state)];
            for (int index = 0; index < merged; index++) {
                int block = blocks[complete[order.get(state) * classCount + representatives[index]]];
                table[state * merged + index] = block == dead ? Dfa.DEAD : numbers[block];
            }
        }
        return new Dfa(byteClasses, merged, table, ends);
    }

    private static boolean sameColumn(
            int[] complete, int classCount, IntList order, int[] blocks, int first, int second) {
        for (int i = 0; i < order.size(); i++) {
            int row = order.get(i) * classCount;
            if (blocks[complete[row + first]] != blocks[complete[row + second]]) {
                return false;
            }
        }
        return true;
    }

    /** Hopcroft's refinement: states stay in one block while no byte tells them apart. */
    private static final class Partition {
        private final int[] table;
        private final int classCount;
        private final int states;
        private final int[] elements;
        private final int[] places;
        private final int[] blocks;
        private final int[] starts;
        private final int[] ends;
        private final int[] marked;
        private final IntList queue = new IntList();
        private final IntList touched = new IntList();
        private int blockCount;

        Partition(int[] table, int classCount, boolean[] accepting) {
            this.table = table;
            this.classCount = classCount;
            this.states = accepting.length;
            this.elements = new int[states];
            this.places = new int[states];
            this.blocks = new int[states];
            this.starts = new int[states];
            this.ends = new int[states];
            this.marked = new int[states];
            int place = 0;
            for (boolean wanted : new boolean[] {true, false}) {
                int start = place;
                for (int state = 0; state < states; state++) {
                    if (accepting[state] == wanted) {
                        elements[place] = state;
                        places[state] = place++;
                        blocks[state] = blockCount;
                    }
                }
                if (place > start) {
                    starts[blockCount] = start;
                    ends[blockCount] = place;
                    queue.add(blockCount++);
                }
            }
        }

        int[] refined() {
            int[] sourceStarts = new int[classCount * (states + 1) + 1];
            int[] sources = sources(sourceStarts);
            while (!queue.isEmpty()) {
                int splitter = queue.removeLast();
                int[] members = Arrays.copyOfRange(elements, starts[splitter], ends[splitter]);
                for (int index = 0; index < classCount; index++) {
                    touched.clear();
                    for (int member : members) {
                        int key = index * states + member;
                        for (int i = sourceStarts[key]; i < sourceStarts[key + 1]; i++) {
                            mark(sources[i]);
                        }
                    }
                    for (int i = 0; i < touched.size(); i++) {
                        split(touched.get(i));
                    }
                }
            }
            return blocks;
        }

        /** Returns the states that lead to each state by each class, grouped. */
        private int[] sources(int[] sourceStarts) {
            for (int state = 0; state < states; state++) {
                for (int index = 0; index < classCount; index++) {
                    sourceStarts[index * states + table[state * classCount + index] + 1]++;
                }
            }
            for (int key = 1; key < sourceStarts.length; key++) {
                sourceStarts[key] += sourceStarts[key - 1];
            }
            int[] places = Arrays.copyOf(sourceStarts, sourceStarts.length);
            int[] sources = new int[states * classCount];
            for (int state = 0; state < states; state++) {
                for (int index = 0; index < classCount; index++) {
                    sources[places[index * states + table[state * classCount + index]]++] = state;
                }
            }
            return sources;
        }

        private void mark(int state) {
            int block = blocks[state];
            int place = places[state];
            int first = starts[block] + marked[block];
            if (place < first) {
                return;
            }
            if (marked[block]++ == 0) {
                touched.add(block);
            }
            int other = elements[first];
            elements[first] = state;
            elements[place] = other;
            places[state] = first;
            places[other] = place;
        }

        private void split(int block) {
            int middle = starts[block] + marked[block];
            marked[block] = 0;
            if (middle == ends[block]) {
                return;
            }
            int added = blockCount++;
            // The new block takes the smaller half, so that a state changes its block only so often.
            if (middle - starts[block] <= ends[block] - middle) {
                starts[added] = starts[block];
                ends[added] = middle;
                starts[block] = middle;
            } else {
                starts[added] = middle;
                ends[added] = ends[block];
                ends[block] = middle;
            }
            for (int place = starts[added]; place < ends[added]; place++) {
                blocks[elements[place]] = added;
            }
            queue.add(added);
        }
    }
}
