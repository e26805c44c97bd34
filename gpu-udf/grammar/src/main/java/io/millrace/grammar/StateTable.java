package io.millrace.grammar;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Makes the states of a {@link TokenGrammar}, and keeps them within a limit. Not safe for several threads. */
final class StateTable {
    private final Grammar grammar;
    private final TokenGrammar owner;
    private final int classCount;

    /** Where no text goes on. */
    private final GrammarState dead;

    private StackTable stackTable = new StackTable();
    private Map<Key, GrammarState> known = new HashMap<>();

    /** What each node reached has on its stack, while a state is being made; null elsewhere. */
    private final @Nullable Stacks[] reached;

    private final IntList reachedNodes = new IntList();
    private final IntList pendingNodes = new IntList();
    private final java.util.ArrayList<Stacks> pendingStacks = new java.util.ArrayList<>();
    private boolean mayEnd;
    private int work;

    private static final class Key {
        private final int[] nodes;
        private final Stacks[] stacks;
        private final boolean mayEnd;
        private final int hash;

        Key(int[] nodes, Stacks[] stacks, boolean mayEnd) {
            this.nodes = nodes;
            this.stacks = stacks;
            this.mayEnd = mayEnd;
            int value = Arrays.hashCode(nodes);
            for (Stacks stack : stacks) {
                value = 31 * value + stack.hashCode();
            }
            this.hash = mayEnd ? ~value : value;
        }

        @Override
        public boolean equals(Object other) {
            if (!(other instanceof Key key)
                    || hash != key.hash
                    || mayEnd != key.mayEnd
                    || !Arrays.equals(nodes, key.nodes)) {
                return false;
            }
            for (int i = 0; i < stacks.length; i++) {
                if (stacks[i] != key.stacks[i]) {
                    return false;
                }
            }
            return true;
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    StateTable(Grammar grammar, TokenGrammar owner) {
        this.grammar = grammar;
        this.owner = owner;
        this.classCount = grammar.classOctets.length;
        this.reached = new Stacks[grammar.nodeCount()];
        this.dead = new GrammarState(owner, new int[0], new Stacks[0], false, classCount);
    }

    GrammarState dead() {
        return dead;
    }

    /** Begins to count the work that one caller may cause. */
    void beginWork() {
        work = 0;
    }

    /** Returns the state of a text that begins. */
    GrammarState start() {
        reach(grammar.start, Stacks.empty(0));
        return reachedState();
    }

    /** Returns the state of one node alone, without what can be reached from it for nothing. */
    GrammarState only(int node, Stacks stacks) {
        return keep(new int[] {node}, new Stacks[] {stacks}, false);
    }

    /** Returns the state after a rule has ended. */
    GrammarState popped(Stacks stacks) {
        pop(stacks);
        return reachedState();
    }

    /** Returns the state after a byte of a class. */
    GrammarState next(GrammarState state, int byteClass) {
        GrammarState next = state.nexts[byteClass];
        if (next == null) {
            int octet = grammar.classOctets[byteClass];
            for (int i = 0; i < state.nodes.length; i++) {
                int node = state.nodes[i];
                for (int edge = grammar.edgeStarts[node]; edge < grammar.edgeStarts[node + 1]; edge++) {
                    if (grammar.lows[edge] <= octet && octet <= grammar.highs[edge]) {
                        reach(grammar.targets[edge], state.stacks[i]);
                    }
                }
                work += grammar.edgeStarts[node + 1] - grammar.edgeStarts[node];
            }
            next = reachedState();
            state.nexts[byteClass] = next;
        }
        return next;
    }

    private void reach(int node, Stacks stacks) {
        if (grammar.needs[node] > grammar.limits.maxStackDepth() - stacks.depth) {
            return;
        }
        Stacks before = reached[node];
        if (before == null) {
            reachedNodes.add(node);
            reached[node] = stacks;
        } else {
            Stacks union = stackTable.union(before, stacks);
            if (union == before) {
                return;
            }
            reached[node] = union;
        }
        pendingNodes.add(node);
        pendingStacks.add(stacks);
    }

    private void pop(Stacks stacks) {
        mayEnd |= stacks.bottom;
        for (int i = 0; i < stacks.nodes.length; i++) {
            reach(stacks.nodes[i], stacks.below[i]);
        }
        work += stacks.nodes.length;
    }

    /** Follows calls and ends of rules from what was reached, and returns the state of all of it. */
    private GrammarState reachedState() {
        while (!pendingNodes.isEmpty()) {
            int node = pendingNodes.removeLast();
            Stacks stacks = pendingStacks.remove(pendingStacks.size() - 1);
            for (int call = grammar.callStarts[node]; call < grammar.callStarts[node + 1]; call++) {
                int callee = grammar.callees[call];
                int back = grammar.returns[call];
                if (back < 0) {
                    reach(callee, stacks);
                } else if (grammar.needs[back] <= grammar.limits.maxStackDepth() - stacks.depth
                        && grammar.needs[callee] < grammar.limits.maxStackDepth() - stacks.depth) {
                    reach(callee, stackTable.push(back, stacks));
                }
            }
            work += 1 + grammar.callStarts[node + 1] - grammar.callStarts[node];
            if (grammar.ends.get(node)) {
                pop(stacks);
            }
            if (work > grammar.limits.maxWork()) {
                clear();
                throw new ServingException(
                        ErrorCode.INVALID_REQUEST, "the grammar is too ambiguous: a text has too many readings");
            }
        }
        int[] order = reachedNodes.toSortedSet();
        int[] nodes = new int[order.length];
        Stacks[] stacks = new Stacks[order.length];
        int count = 0;
        for (int node : order) {
            Stacks stack = reached[node];
            if (stack != null && grammar.edgeStarts[node] < grammar.edgeStarts[node + 1]) {
                nodes[count] = node;
                stacks[count++] = stack;
            }
        }
        boolean end = mayEnd;
        clear();
        return count == 0 && !end ? dead : keep(Arrays.copyOf(nodes, count), Arrays.copyOf(stacks, count), end);
    }

    private void clear() {
        for (int i = 0; i < reachedNodes.size(); i++) {
            reached[reachedNodes.get(i)] = null;
        }
        reachedNodes.clear();
        pendingNodes.clear();
        pendingStacks.clear();
        mayEnd = false;
    }

    private GrammarState keep(int[] nodes, Stacks[] stacks, boolean end) {
        Key key = new Key(nodes, stacks, end);
        GrammarState state = known.get(key);
        if (state == null) {
            int limit = grammar.limits.maxLiveStates();
            if (known.size() >= limit || stackTable.size() >= 8 * limit) {
                // States that are in use go on; they and the new ones only no longer know that they are equal.
                known = new HashMap<>();
                stackTable = new StackTable();
            }
            state = new GrammarState(owner, nodes, stacks, end, classCount);
            known.put(key, state);
        }
        return state;
    }
}
