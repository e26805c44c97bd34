package io.millrace.grammar;

import java.util.HashMap;
import java.util.Map;

/** Removes edges that take no bytes from an automaton, and leaves it non-deterministic. */
final class EmptyEdges {
    private EmptyEdges() {}

    static LocalAutomaton removed(Nfa nfa, int start, int end, GrammarLimits limits) {
        LocalAutomaton result = new LocalAutomaton();
        Map<Integer, Integer> states = new HashMap<>();
        IntList nodes = new IntList();
        states.put(start, 0);
        nodes.add(start);
        int[] stamps = new int[nfa.nodeCount()];
        IntList pending = new IntList();
        int work = 0;
        for (int state = 0; state < nodes.size(); state++) {
            int stamp = state + 1;
            pending.add(nodes.get(state));
            stamps[nodes.get(state)] = stamp;
            while (!pending.isEmpty()) {
                int node = pending.removeLast();
                if (node == end) {
                    result.accepting.set(state);
                }
                for (int edge = nfa.firstEdge(node); edge != Nfa.NONE; edge = nfa.nextEdge(edge)) {
                    if (++work > limits.maxWork() || result.lows.size() > limits.maxEdges()) {
                        throw GrammarLimits.exceeded(
                                "is too large: its automaton has too many edges", limits.maxEdges());
                    }
                    int target = nfa.target(edge);
                    if (nfa.low(edge) == Nfa.NO_BYTES) {
                        if (stamps[target] != stamp) {
                            stamps[target] = stamp;
                            pending.add(target);
                        }
                        continue;
                    }
                    int next = states.computeIfAbsent(target, key -> nodes.size());
                    if (next == nodes.size()) {
                        nodes.add(target);
                    }
                    if (nfa.low(edge) == Nfa.CALL) {
                        result.addCall(nfa.high(edge), next);
                    } else {
                        result.addEdge(nfa.low(edge), nfa.high(edge), next);
                    }
                }
            }
            result.endState();
        }
        return result;
    }
}
