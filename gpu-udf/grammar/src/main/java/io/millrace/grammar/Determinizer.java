package io.millrace.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Makes an automaton deterministic: each state stands for a set of nodes. Calls count as letters of their own. */
final class Determinizer {
    private final Nfa nfa;
    private final int maxStates;
    private final int maxEdges;
    private final int maxWork;
    private final LocalAutomaton result = new LocalAutomaton();

    /** States by what their sets of nodes were before they were closed, and after. */
    private final Map<IntKey, Integer> statesByTargets = new HashMap<>();

    private final Map<IntKey, Integer> statesByNodes = new HashMap<>();
    private final List<int[]> nodesByState = new ArrayList<>();
    private final int[] stamps;
    private final IntList pending = new IntList();
    private final IntList closed = new IntList();
    private final IntList edges = new IntList();
    private final boolean[] boundaries = new boolean[257];
    private int stamp;
    private int work;

    Determinizer(Nfa nfa, int maxStates, int maxEdges, int maxWork) {
        this.nfa = nfa;
        this.maxStates = maxStates;
        this.maxEdges = maxEdges;
        this.maxWork = maxWork;
        this.stamps = new int[nfa.nodeCount()];
    }

    /** Returns the deterministic automaton, or fails if it is beyond a limit. */
    LocalAutomaton strict(int start, int end) {
        LocalAutomaton automaton = run(start, end);
        if (automaton == null) {
            throw GrammarLimits.exceeded(
                    "has an expression whose deterministic automaton is too large, or takes too long to make",
                    maxStates);
        }
        return automaton;
    }

    /** Returns the deterministic automaton, or null if it is beyond a limit. */
    @Nullable
    LocalAutomaton run(int start, int end) {
        state(new int[] {start});
        for (int state = 0; state < nodesByState.size(); state++) {
            int[] nodes = nodesByState.get(state);
            if (Arrays.binarySearch(nodes, end) >= 0) {
                result.accepting.set(state);
            }
            addBytes(nodes);
            addCalls(nodes);
            result.endState();
            if (nodesByState.size() > maxStates || result.lows.size() > maxEdges || work > maxWork) {
                return null;
            }
        }
        return result;
    }

    private void addBytes(int[] nodes) {
        edges.clear();
        Arrays.fill(boundaries, false);
        for (int node : nodes) {
            for (int edge = nfa.firstEdge(node); edge != Nfa.NONE; edge = nfa.nextEdge(edge)) {
                work++;
                if (nfa.low(edge) >= 0) {
                    edges.add(edge);
                    boundaries[nfa.low(edge)] = true;
                    boundaries[nfa.high(edge) + 1] = true;
                }
            }
        }
        IntList targets = new IntList();
        int low = 0;
        while (low < 256) {
            int high = low;
            while (high < 255 && !boundaries[high + 1]) {
                high++;
            }
            targets.clear();
            work += edges.size();
            for (int i = 0; i < edges.size(); i++) {
                int edge = edges.get(i);
                if (nfa.low(edge) <= low && high <= nfa.high(edge)) {
                    targets.add(nfa.target(edge));
                }
            }
            if (!targets.isEmpty()) {
                addMerged(low, high, state(targets.toSortedSet()));
            }
            low = high + 1;
        }
    }

    /** Adds an edge, as part of the one before it where they touch and lead to the same state. */
    private void addMerged(int low, int high, int target) {
        int last = result.lows.size() - 1;
        boolean ofThisState = last >= result.edgeStarts.get(result.edgeStarts.size() - 1);
        if (ofThisState && result.highs.get(last) == low - 1 && result.targets.get(last) == target) {
            result.highs.set(last, high);
        } else {
            result.addEdge(low, high, target);
        }
    }

    private void addCalls(int[] nodes) {
        TreeMap<Integer, IntList> targetsByRule = new TreeMap<>();
        for (int node : nodes) {
            for (int edge = nfa.firstEdge(node); edge != Nfa.NONE; edge = nfa.nextEdge(edge)) {
                if (nfa.low(edge) == Nfa.CALL) {
                    targetsByRule
                            .computeIfAbsent(nfa.high(edge), rule -> new IntList())
                            .add(nfa.target(edge));
                }
            }
        }
        targetsByRule.forEach((rule, targets) -> result.addCall(rule, state(targets.toSortedSet())));
    }

    private int state(int[] targets) {
        IntKey targetsKey = new IntKey(targets);
        Integer known = statesByTargets.get(targetsKey);
        if (known == null) {
            int[] nodes = closure(targets);
            known = statesByNodes.computeIfAbsent(new IntKey(nodes), key -> {
                nodesByState.add(nodes);
                return nodesByState.size() - 1;
            });
            statesByTargets.put(targetsKey, known);
        }
        return known;
    }

    private int[] closure(int[] targets) {
        stamp++;
        closed.clear();
        for (int target : targets) {
            reach(target);
        }
        while (!pending.isEmpty()) {
            int node = pending.removeLast();
            for (int edge = nfa.firstEdge(node); edge != Nfa.NONE; edge = nfa.nextEdge(edge)) {
                work++;
                if (nfa.low(edge) == Nfa.NO_BYTES) {
                    reach(nfa.target(edge));
                }
            }
        }
        return closed.toSortedSet();
    }

    private void reach(int node) {
        if (stamps[node] != stamp) {
            stamps[node] = stamp;
            pending.add(node);
            closed.add(node);
        }
    }
}
