package io.millrace.grammar;

import java.util.Arrays;
import java.util.List;

/** Strongly connected parts of a graph of numbered vertices, found without recursion. */
final class Components {
    private final List<int[]> successors;
    private final int[] numbers;
    private final int[] lows;
    private final int[] positions;
    private final int[] components;
    private final IntList open = new IntList();
    private final IntList path = new IntList();
    private final int[] finished;
    private int finishedCount;
    private int counter;
    private int componentCount;

    private Components(int count, List<int[]> successors) {
        this.successors = successors;
        this.numbers = new int[count];
        this.lows = new int[count];
        this.positions = new int[count];
        this.components = new int[count];
        this.finished = new int[count];
        Arrays.fill(components, -1);
        for (int vertex = 0; vertex < count; vertex++) {
            if (numbers[vertex] == 0) {
                visit(vertex);
            }
        }
    }

    /** Returns the number of the component of each vertex. */
    static int[] of(int count, List<int[]> successors) {
        return new Components(count, successors).components;
    }

    /** Returns whether each vertex lies on a cycle. */
    static boolean[] cyclic(int count, List<int[]> successors) {
        int[] components = of(count, successors);
        int[] sizes = new int[count];
        for (int component : components) {
            sizes[component]++;
        }
        boolean[] cyclic = new boolean[count];
        for (int vertex = 0; vertex < count; vertex++) {
            int self = vertex;
            cyclic[vertex] = sizes[components[vertex]] > 1
                    || Arrays.stream(successors.get(vertex)).anyMatch(next -> next == self);
        }
        return cyclic;
    }

    /** Returns the vertices such that what one leads to comes before it, as far as there is no cycle. */
    static int[] calledFirst(int count, List<int[]> successors) {
        return new Components(count, successors).finished;
    }

    private void visit(int root) {
        enter(root);
        while (!path.isEmpty()) {
            int vertex = path.get(path.size() - 1);
            int[] nexts = successors.get(vertex);
            if (positions[vertex] < nexts.length) {
                int next = nexts[positions[vertex]++];
                if (numbers[next] == 0) {
                    enter(next);
                } else if (components[next] < 0) {
                    lows[vertex] = Math.min(lows[vertex], numbers[next]);
                }
                continue;
            }
            path.removeLast();
            finished[finishedCount++] = vertex;
            if (!path.isEmpty()) {
                int parent = path.get(path.size() - 1);
                lows[parent] = Math.min(lows[parent], lows[vertex]);
            }
            if (lows[vertex] == numbers[vertex]) {
                int member;
                do {
                    member = open.removeLast();
                    components[member] = componentCount;
                } while (member != vertex);
                componentCount++;
            }
        }
    }

    private void enter(int vertex) {
        numbers[vertex] = ++counter;
        lows[vertex] = counter;
        open.add(vertex);
        path.add(vertex);
    }
}
