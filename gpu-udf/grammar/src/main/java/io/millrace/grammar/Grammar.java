package io.millrace.grammar;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A pushdown automaton over bytes. A text moves a set of nodes, each with a stack of nodes that it returns to. An edge
 * takes a byte; a call puts the node to return to on the stack and goes to another rule's start; a node where a rule
 * may end goes back to what the stack holds. Immutable; knows no vocabulary, so it also serves to check what clients
 * send.
 */
public final class Grammar {
    /** No depth of stack is enough to come to an end. */
    static final int NO_END = Integer.MAX_VALUE;

    final GrammarLimits limits;

    /** Node that a text begins in. */
    final int start;

    /** Edges and calls of node {@code n} are those from {@code starts[n]} to {@code starts[n + 1]}. */
    final int[] edgeStarts;

    final int[] lows;
    final int[] highs;
    final int[] targets;
    final int[] callStarts;

    /** Node that a call goes to: the start of its rule. */
    final int[] callees;

    /** Node that a call returns to, or -1 where it is the last of its rule, and returns to where that one does. */
    final int[] returns;

    /** Whether a rule may end in a node. */
    final BitSet ends;

    /** How many places of the stack a node needs to come to the end of its rule, at least; {@link #NO_END} if none. */
    final int[] needs;

    /** Class of each byte; bytes of one class take the same edges everywhere. */
    final byte[] byteClasses;

    /** A byte of each class. */
    final int[] classOctets;

    /** Automaton whose states a run of nodes are, by node; null for other nodes. */
    final @Nullable Dfa[] dfas;

    /** First node of the automaton that a node is of. */
    final int[] dfaStarts;

    private Grammar(GrammarRules rules, GrammarLimits limits) {
        this.limits = limits;
        NodeTables nodes = new NodeTables(rules, limits);
        this.start = 0;
        this.edgeStarts = nodes.edgeStarts.toArray();
        this.lows = nodes.lows.toArray();
        this.highs = nodes.highs.toArray();
        this.targets = nodes.targets.toArray();
        this.callStarts = nodes.callStarts.toArray();
        this.callees = nodes.callees.toArray();
        this.returns = nodes.returns.toArray();
        this.ends = nodes.ends;
        this.dfas = nodes.dfas.toArray(new Dfa[0]);
        this.dfaStarts = nodes.dfaStarts.toArray();
        GrammarChecks.refuseLeftRecursion(this, nodes.ruleNames);
        this.needs = GrammarChecks.needs(this);
        if (needs[start] == NO_END) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "no text matches the grammar");
        }
        if (needs[start] > limits.maxStackDepth()) {
            throw GrammarLimits.exceeded("has only texts that nest rules too deeply", limits.maxStackDepth());
        }
        boolean[] boundaries = new boolean[257];
        for (int edge = 0; edge < lows.length; edge++) {
            boundaries[lows[edge]] = true;
            boundaries[highs[edge] + 1] = true;
        }
        this.byteClasses = new byte[256];
        IntList octets = new IntList();
        for (int octet = 0; octet < 256; octet++) {
            if (octet == 0 || boundaries[octet]) {
                octets.add(octet);
            }
            byteClasses[octet] = (byte) (octets.size() - 1);
        }
        this.classOctets = octets.toArray();
    }

    /**
     * Makes the automaton of a grammar.
     *
     * @throws ServingException {@code INVALID_REQUEST} if a rule is missing, a rule begins with itself, no text
     *     matches, or the grammar is beyond a limit
     */
    public static Grammar compile(GrammarSource source, GrammarLimits limits) {
        return new Grammar(new GrammarRules(source, limits), limits);
    }

    /** Returns the number of nodes: what compiling cost, and an idea of what masks will. */
    public int nodeCount() {
        return edgeStarts.length - 1;
    }

    int classOf(int octet) {
        return byteClasses[octet] & 0xFF;
    }

    /** The nodes of all rules, one rule after the other. */
    private static final class NodeTables {
        final IntList edgeStarts = new IntList();
        final IntList lows = new IntList();
        final IntList highs = new IntList();
        final IntList targets = new IntList();
        final IntList callStarts = new IntList();
        final IntList callees = new IntList();
        final IntList returns = new IntList();
        final BitSet ends = new BitSet();
        final List<@Nullable Dfa> dfas = new ArrayList<>();
        final IntList dfaStarts = new IntList();

        /** Name of the rule of each node. */
        final List<String> ruleNames = new ArrayList<>();

        private final GrammarLimits limits;

        NodeTables(GrammarRules rules, GrammarLimits limits) {
            this.limits = limits;
            edgeStarts.add(0);
            callStarts.add(0);
            int[] ruleStarts = new int[rules.names.size()];
            Arrays.fill(ruleStarts, -1);
            for (int rule = 0; rule < ruleStarts.length; rule++) {
                if (!rules.inlined[rule]) {
                    ruleStarts[rule] = nodeCount();
                    Expr expr = rules.exprs.get(rule);
                    if (expr instanceof Expr.Automaton automaton) {
                        addStates(automaton.dfa(), rules.names.get(rule));
                    } else {
                        addRule(rules, rule);
                    }
                }
            }
            for (int call = 0; call < callees.size(); call++) {
                callees.set(call, ruleStarts[callees.get(call)]);
                int target = returns.get(call);
                boolean nothingFollows = ends.get(target)
                        && edgeStarts.get(target) == edgeStarts.get(target + 1)
                        && callStarts.get(target) == callStarts.get(target + 1);
                if (nothingFollows) {
                    returns.set(call, -1);
                }
            }
        }

        private int nodeCount() {
            return edgeStarts.size() - 1;
        }

        private void addStates(Dfa dfa, String name) {
            int base = nodeCount();
            for (int state = 0; state < dfa.stateCount(); state++) {
                dfa.forEachRange(state, (low, high, target) -> addEdge(low, high, base + target));
                endNode(dfa.accepts(state), name, dfa, base);
            }
        }

        private void addRule(GrammarRules rules, int rule) {
            Nfa nfa = new Nfa(limits);
            int from = nfa.addNode();
            NfaBuilder builder = new NfaBuilder(nfa, references(rules), limits);
            int end = builder.build(rules.exprs.get(rule), from, 0);
            // Ways that are too many to follow at once before the text is known are followed while it is written.
            int maxStates = Math.min(limits.maxNodes(), 2 * nfa.nodeCount() + 1000);
            LocalAutomaton automaton =
                    new Determinizer(nfa, maxStates, limits.maxEdges(), limits.maxWork() / 4).run(from, end);
            if (automaton != null && isSmallAndRegular(automaton)) {
                // As good as an automaton that a front end made: grammars that have the same rule share its masks.
                addStates(DfaMinimizer.minimal(automaton, limits), rules.names.get(rule));
                return;
            }
            if (automaton == null) {
                automaton = EmptyEdges.removed(nfa, from, end, limits);
            }
            int base = nodeCount();
            for (int state = 0; state < automaton.stateCount(); state++) {
                for (int edge = automaton.edgeStarts.get(state); edge < automaton.edgeStarts.get(state + 1); edge++) {
                    addEdge(automaton.lows.get(edge), automaton.highs.get(edge), base + automaton.targets.get(edge));
                }
                for (int call = automaton.callStarts.get(state); call < automaton.callStarts.get(state + 1); call++) {
                    callees.add(automaton.callRules.get(call));
                    returns.add(base + automaton.callTargets.get(call));
                }
                endNode(automaton.accepting.get(state), rules.names.get(rule), null, -1);
            }
        }

        private boolean isSmallAndRegular(LocalAutomaton automaton) {
            int states = automaton.stateCount();
            return automaton.callRules.isEmpty()
                    && states <= limits.maxDfaStates()
                    && 256L * states <= limits.maxEdges();
        }

        private void addEdge(int low, int high, int target) {
            if (lows.size() >= limits.maxEdges()) {
                throw GrammarLimits.exceeded("is too large: its automaton has too many edges", limits.maxEdges());
            }
            lows.add(low);
            highs.add(high);
            targets.add(target);
        }

        private void endNode(boolean accepting, String name, @Nullable Dfa dfa, int dfaStart) {
            ends.set(nodeCount(), accepting);
            edgeStarts.add(lows.size());
            callStarts.add(callees.size());
            ruleNames.add(name);
            dfas.add(dfa);
            dfaStarts.add(dfaStart);
            if (nodeCount() > limits.maxNodes()) {
                throw GrammarLimits.exceeded("is too large: its automaton has too many nodes", limits.maxNodes());
            }
        }

        private NfaBuilder.References references(GrammarRules rules) {
            return new NfaBuilder.References() {
                @Override
                public int rule(NfaBuilder builder, String name, int from, int depth) {
                    int rule = rules.index(name);
                    if (rules.inlined[rule]) {
                        return builder.build(rules.exprs.get(rule), from, depth);
                    }
                    return call(builder, rule, from);
                }

                @Override
                public int automaton(NfaBuilder builder, Dfa dfa, int from) {
                    return call(builder, rules.index(dfa), from);
                }

                private int call(NfaBuilder builder, int rule, int from) {
                    int end = builder.nfa().addNode();
                    builder.nfa().addCall(from, rule, end);
                    return end;
                }
            };
        }
    }
}
