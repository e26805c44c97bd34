package io.millrace.grammar;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Turns expressions into an automaton that is not deterministic. */
final class NfaBuilder {
    /** What the names of rules, and automata, stand for. */
    interface References {
        /** Adds edges for a text of a rule, from a node to another, and returns that. */
        int rule(NfaBuilder builder, String name, int from, int depth);

        /** Adds edges for a text of an automaton, from a node to another, and returns that. */
        int automaton(NfaBuilder builder, Dfa dfa, int from);
    }

    /** For regular expressions: no rules, and automata in place. */
    static final References REGULAR = new References() {
        @Override
        public int rule(NfaBuilder builder, String name, int from, int depth) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "a regular expression cannot use the rule " + name);
        }

        @Override
        public int automaton(NfaBuilder builder, Dfa dfa, int from) {
            return builder.inPlace(dfa, from);
        }
    };

    private final Nfa nfa;
    private final References references;
    private final GrammarLimits limits;

    /** Expressions built, each time anew; nothing else bounds repetitions of what has no nodes. */
    private int built;

    NfaBuilder(Nfa nfa, References references, GrammarLimits limits) {
        this.nfa = nfa;
        this.references = references;
        this.limits = limits;
    }

    Nfa nfa() {
        return nfa;
    }

    /**
     * Adds an expression.
     *
     * @param from node that it begins in; no edge leads back to it
     * @param depth how deep the expression is nested
     * @return the node that it ends in; no edge leaves it yet
     */
    int build(Expr expr, int from, int depth) {
        // Rules that are built where they are used add their depth, which is half of the limit at most.
        if (depth > 2 * limits.maxDepth()) {
            throw GrammarLimits.exceeded("is nested too deeply", limits.maxDepth());
        }
        if (++built > limits.maxNodes()) {
            throw GrammarLimits.exceeded("is too large: its automaton has too many nodes", limits.maxNodes());
        }
        if (expr instanceof Expr.Literal literal) {
            return literal(utf8(literal.text()), from);
        } else if (expr instanceof Expr.CharClass charClass) {
            int end = nfa.addNode();
            Utf8Ranges.add(nfa, charClass.set(), from, end);
            return end;
        } else if (expr instanceof Expr.Sequence sequence) {
            int node = from;
            for (Expr part : sequence.parts()) {
                node = build(part, node, depth + 1);
            }
            return node;
        } else if (expr instanceof Expr.Choice choice) {
            return choice(choice.branches(), from, depth);
        } else if (expr instanceof Expr.Repeat repeat) {
            return repeat(repeat, from, depth);
        } else if (expr instanceof Expr.Rule rule) {
            return references.rule(this, rule.name(), from, depth + 1);
        } else if (expr instanceof Expr.Automaton automaton) {
            return references.automaton(this, automaton.dfa(), from);
        }
        throw new AssertionError(expr);
    }

    private int literal(byte[] bytes, int from) {
        int node = from;
        for (byte octet : bytes) {
            int next = nfa.addNode();
            nfa.addBytes(node, octet & 0xFF, octet & 0xFF, next);
            node = next;
        }
        return node;
    }

    private int choice(List<Expr> branches, int from, int depth) {
        int end = nfa.addNode();
        for (Expr branch : branches) {
            int start = nfa.addNode();
            nfa.addEmpty(from, start);
            nfa.addEmpty(build(branch, start, depth + 1), end);
        }
        return end;
    }

    private int repeat(Expr.Repeat repeat, int from, int depth) {
        int node = from;
        for (int i = 0; i < repeat.min(); i++) {
            int end = build(repeat.body(), node, depth + 1);
            if (end == node) {
                return node;
            }
            node = end;
        }
        if (repeat.max() == Expr.Repeat.UNBOUNDED) {
            int loop = nfa.addNode();
            nfa.addEmpty(node, loop);
            nfa.addEmpty(build(repeat.body(), loop, depth + 1), loop);
            int end = nfa.addNode();
            nfa.addEmpty(loop, end);
            return end;
        }
        if (repeat.max() == repeat.min()) {
            return node;
        }
        int end = nfa.addNode();
        for (int i = repeat.min(); i < repeat.max(); i++) {
            nfa.addEmpty(node, end);
            int next = build(repeat.body(), node, depth + 1);
            if (next == node) {
                break;
            }
            node = next;
        }
        nfa.addEmpty(node, end);
        return end;
    }

    private int inPlace(Dfa dfa, int from) {
        int[] nodes = new int[dfa.stateCount()];
        for (int state = 0; state < nodes.length; state++) {
            nodes[state] = nfa.addNode();
        }
        int end = nfa.addNode();
        nfa.addEmpty(from, nodes[0]);
        for (int state = 0; state < nodes.length; state++) {
            int source = nodes[state];
            dfa.forEachRange(state, (low, high, target) -> nfa.addBytes(source, low, high, nodes[target]));
            if (dfa.accepts(state)) {
                nfa.addEmpty(source, end);
            }
        }
        return end;
    }

    /** Returns a text's UTF-8. */
    static byte[] utf8(String text) {
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            byte[] array = new byte[bytes.remaining()];
            bytes.get(array);
            return array;
        } catch (CharacterCodingException e) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "a text of the grammar has a lone surrogate", e);
        }
    }
}
