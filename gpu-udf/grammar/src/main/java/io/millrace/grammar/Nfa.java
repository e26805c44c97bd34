package io.millrace.grammar;

/**
 * A non-deterministic automaton as it is being built. An edge takes no bytes, or one byte of a range, or a text of a
 * rule. Edges of a node are a list, latest first.
 */
final class Nfa {
    /** What {@link #low} says of an edge that takes no bytes. */
    static final int NO_BYTES = -1;

    /** What {@link #low} says of an edge that takes a text of the rule {@link #high}. */
    static final int CALL = -2;

    /** What ends the list of a node's edges. */
    static final int NONE = -1;

    private final GrammarLimits limits;
    private final IntList heads = new IntList();
    private final IntList nexts = new IntList();
    private final IntList lows = new IntList();
    private final IntList highs = new IntList();
    private final IntList targets = new IntList();

    Nfa(GrammarLimits limits) {
        this.limits = limits;
    }

    int addNode() {
        if (heads.size() >= limits.maxNodes()) {
            throw GrammarLimits.exceeded("is too large: its automaton has too many nodes", limits.maxNodes());
        }
        heads.add(NONE);
        return heads.size() - 1;
    }

    void addEmpty(int from, int to) {
        if (from != to) {
            addEdge(from, NO_BYTES, NO_BYTES, to);
        }
    }

    void addBytes(int from, int low, int high, int to) {
        assert 0 <= low && low <= high && high <= 255;
        addEdge(from, low, high, to);
    }

    void addCall(int from, int rule, int to) {
        addEdge(from, CALL, rule, to);
    }

    private void addEdge(int from, int low, int high, int to) {
        if (lows.size() >= limits.maxEdges()) {
            throw GrammarLimits.exceeded("is too large: its automaton has too many edges", limits.maxEdges());
        }
        nexts.add(heads.get(from));
        lows.add(low);
        highs.add(high);
        targets.add(to);
        heads.set(from, lows.size() - 1);
    }

    int nodeCount() {
        return heads.size();
    }

    int edgeCount() {
        return lows.size();
    }

    /** Returns a node's first edge, or {@link #NONE}. */
    int firstEdge(int node) {
        return heads.get(node);
    }

    /** Returns the edge after another of the same node, or {@link #NONE}. */
    int nextEdge(int edge) {
        return nexts.get(edge);
    }

    int low(int edge) {
        return lows.get(edge);
    }

    int high(int edge) {
        return highs.get(edge);
    }

    int target(int edge) {
        return targets.get(edge);
    }
}
