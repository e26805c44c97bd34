package io.millrace.grammar;

import java.util.BitSet;

/**
 * An automaton of one rule. Edges take a byte of a range, calls take a text of another rule. State 0 is the start.
 * Edges and calls of state {@code s} have the indexes from {@code starts.get(s)} to {@code starts.get(s + 1)}.
 */
final class LocalAutomaton {
    final IntList edgeStarts = new IntList();
    final IntList lows = new IntList();
    final IntList highs = new IntList();
    final IntList targets = new IntList();
    final IntList callStarts = new IntList();
    final IntList callRules = new IntList();
    final IntList callTargets = new IntList();
    final BitSet accepting = new BitSet();

    LocalAutomaton() {
        edgeStarts.add(0);
        callStarts.add(0);
    }

    void addEdge(int low, int high, int target) {
        lows.add(low);
        highs.add(high);
        targets.add(target);
    }

    void addCall(int rule, int target) {
        callRules.add(rule);
        callTargets.add(target);
    }

    /** Ends the edges and calls of the state that is being added. */
    void endState() {
        edgeStarts.add(lows.size());
        callStarts.add(callRules.size());
    }

    int stateCount() {
        return edgeStarts.size() - 1;
    }
}
