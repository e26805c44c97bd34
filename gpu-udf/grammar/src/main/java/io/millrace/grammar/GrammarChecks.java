package io.millrace.grammar;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.PriorityQueue;

/** What must hold of a grammar's nodes before texts are matched. */
final class GrammarChecks {
    private GrammarChecks() {}

    /**
     * Refuses rules that come back to themselves, with more on the stack, before they take a byte: following them would
     * not end.
     */
    static void refuseLeftRecursion(Grammar grammar, List<String> ruleNames) {
        if (grammar.callees.length == 0) {
            return;
        }
        BitSet empty = endingWithoutBytes(grammar);
        int count = grammar.nodeCount();
        List<int[]> successors = new ArrayList<>(count);
        IntList nexts = new IntList();
        for (int node = 0; node < count; node++) {
            nexts.clear();
            for (int call = grammar.callStarts[node]; call < grammar.callStarts[node + 1]; call++) {
                nexts.add(grammar.callees[call]);
                if (grammar.returns[call] >= 0 && empty.get(grammar.callees[call])) {
                    nexts.add(grammar.returns[call]);
                }
            }
            successors.add(nexts.toArray());
        }
        int[] components = Components.of(count, successors);
        for (int node = 0; node < count; node++) {
            for (int call = grammar.callStarts[node]; call < grammar.callStarts[node + 1]; call++) {
                if (grammar.returns[call] >= 0 && components[node] == components[grammar.callees[call]]) {
                    throw new ServingException(
                            ErrorCode.INVALID_REQUEST,
                            "the grammar's rule " + ruleNames.get(node) + " can begin with itself (left recursion)");
                }
            }
        }
    }

    /** Returns the nodes from which a rule may end before it takes a byte. */
    private static BitSet endingWithoutBytes(Grammar grammar) {
        BitSet empty = (BitSet) grammar.ends.clone();
        Callers callers = new Callers(grammar);
        IntList pending = new IntList();
        empty.stream().forEach(pending::add);
        while (!pending.isEmpty()) {
            int node = pending.removeLast();
            for (int i = callers.starts[node]; i < callers.starts[node + 1]; i++) {
                int call = callers.calls[i];
                int caller = callers.nodes[call];
                boolean both = empty.get(grammar.callees[call])
                        && (grammar.returns[call] < 0 || empty.get(grammar.returns[call]));
                if (both && !empty.get(caller)) {
                    empty.set(caller);
                    pending.add(caller);
                }
            }
        }
        return empty;
    }

    private record Need(int value, int node) {}

    /**
     * Returns how deep the stack must become, at least, until each node's rule has ended. What a node needs is the
     * least over its ways: an edge needs what its target needs; a call one more than its rule, and what it returns to.
     * Least values first, as shortest paths are found.
     */
    static int[] needs(Grammar grammar) {
        int[] needs = new int[grammar.nodeCount()];
        Arrays.fill(needs, Grammar.NO_END);
        boolean[] done = new boolean[needs.length];
        Callers callers = new Callers(grammar);
        int[] sourceStarts = new int[needs.length + 1];
        int[] sources = sources(grammar, sourceStarts);
        PriorityQueue<Need> queue = new PriorityQueue<>((a, b) -> Integer.compare(a.value(), b.value()));
        grammar.ends.stream().forEach(node -> {
            needs[node] = 0;
            queue.add(new Need(0, node));
        });
        IntList sameLevel = new IntList();
        while (!queue.isEmpty()) {
            Need need = queue.remove();
            sameLevel.add(need.node());
            while (!sameLevel.isEmpty()) {
                int node = sameLevel.removeLast();
                if (done[node]) {
                    continue;
                }
                done[node] = true;
                for (int i = sourceStarts[node]; i < sourceStarts[node + 1]; i++) {
                    if (needs[node] < needs[sources[i]]) {
                        needs[sources[i]] = needs[node];
                        sameLevel.add(sources[i]);
                    }
                }
                for (int i = callers.starts[node]; i < callers.starts[node + 1]; i++) {
                    int call = callers.calls[i];
                    int value = needOfCall(grammar, needs, call);
                    if (value < needs[callers.nodes[call]]) {
                        needs[callers.nodes[call]] = value;
                        queue.add(new Need(value, callers.nodes[call]));
                    }
                }
            }
        }
        return needs;
    }

    private static int needOfCall(Grammar grammar, int[] needs, int call) {
        int inner = needs[grammar.callees[call]];
        if (grammar.returns[call] < 0) {
            return inner;
        }
        int after = needs[grammar.returns[call]];
        return inner == Grammar.NO_END || after == Grammar.NO_END ? Grammar.NO_END : Math.max(inner + 1, after);
    }

    /** Returns the nodes whose edges lead to each node, grouped. */
    private static int[] sources(Grammar grammar, int[] starts) {
        for (int target : grammar.targets) {
            starts[target + 1]++;
        }
        for (int node = 1; node < starts.length; node++) {
            starts[node] += starts[node - 1];
        }
        int[] places = Arrays.copyOf(starts, starts.length);
        int[] sources = new int[grammar.targets.length];
        for (int node = 0; node < starts.length - 1; node++) {
            for (int edge = grammar.edgeStarts[node]; edge < grammar.edgeStarts[node + 1]; edge++) {
                sources[places[grammar.targets[edge]]++] = node;
            }
        }
        return sources;
    }

    /** The calls that name each node, as what they go to or return to. */
    private static final class Callers {
        /** Node of each call. */
        final int[] nodes;

        final int[] starts;
        final int[] calls;

        Callers(Grammar grammar) {
            int count = grammar.callees.length;
            this.nodes = new int[count];
            this.starts = new int[grammar.nodeCount() + 1];
            for (int node = 0; node < grammar.nodeCount(); node++) {
                Arrays.fill(nodes, grammar.callStarts[node], grammar.callStarts[node + 1], node);
            }
            for (int call = 0; call < count; call++) {
                starts[grammar.callees[call] + 1]++;
                if (grammar.returns[call] >= 0) {
                    starts[grammar.returns[call] + 1]++;
                }
            }
            for (int node = 1; node < starts.length; node++) {
                starts[node] += starts[node - 1];
            }
            int[] places = Arrays.copyOf(starts, starts.length);
            this.calls = new int[starts[starts.length - 1]];
            for (int call = 0; call < count; call++) {
                calls[places[grammar.callees[call]]++] = call;
                if (grammar.returns[call] >= 0) {
                    calls[places[grammar.returns[call]]++] = call;
                }
            }
        }
    }
}
