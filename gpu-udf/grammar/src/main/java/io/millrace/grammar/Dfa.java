package io.millrace.grammar;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ServingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A deterministic automaton over bytes: a regular language. Immutable. Every state lies on a way from the start to an
 * end, except the start where the language is empty; the smallest automaton of its language, so that two are equal if
 * they match the same texts.
 */
public final class Dfa {
    /** What {@link #next} returns where no text goes on. */
    public static final int DEAD = -1;

    /** Class of each byte; bytes of one class go the same way in every state. */
    final byte[] byteClasses;

    /** Number of classes. */
    final int classCount;

    /** State after {@code state * classCount + class}, or {@link #DEAD}. */
    final int[] table;

    final boolean[] accepting;

    /** Takes part in a walk over the ways on from a state. */
    interface RangeVisitor {
        /** Visits the bytes from one to another, both included, which lead to one state. */
        void visit(int low, int high, int target);
    }

    /** The start is state 0, and the automaton is as {@link DfaMinimizer} leaves it. The arrays are not copied. */
    Dfa(byte[] byteClasses, int classCount, int[] table, boolean[] accepting) {
        this.byteClasses = requireNonNull(byteClasses, "byteClasses");
        this.classCount = classCount;
        this.table = requireNonNull(table, "table");
        this.accepting = requireNonNull(accepting, "accepting");
    }

    /**
     * Returns the automaton of an expression.
     *
     * @throws ServingException {@code INVALID_REQUEST} if it uses rules, or is beyond a limit
     */
    public static Dfa of(Expr regular, GrammarLimits limits) {
        Nfa nfa = new Nfa(limits);
        int start = nfa.addNode();
        NfaBuilder builder = new NfaBuilder(nfa, NfaBuilder.REGULAR, limits);
        int end = builder.build(regular, start, 0);
        return DfaMinimizer.minimal(
                new Determinizer(nfa, limits.maxDfaStates(), limits.maxEdges(), limits.maxWork()).strict(start, end),
                limits);
    }

    /** Returns the automaton of the texts of both. */
    public Dfa intersect(Dfa other, GrammarLimits limits) {
        return DfaProduct.of(this, other, (mine, theirs) -> mine && theirs, limits);
    }

    /** Returns the automaton of the texts of either. */
    public Dfa union(Dfa other, GrammarLimits limits) {
        return DfaProduct.of(this, other, (mine, theirs) -> mine || theirs, limits);
    }

    /** Returns the automaton of the texts of this one that are not of the other. */
    public Dfa minus(Dfa other, GrammarLimits limits) {
        return DfaProduct.of(this, other, (mine, theirs) -> mine && !theirs, limits);
    }

    /** Returns the automaton of the same texts with each byte spelled another way, where there is one. */
    public Dfa respelled(IntFunction<@Nullable List<String>> spellings, GrammarLimits limits) {
        Nfa nfa = new Nfa(limits);
        NfaBuilder builder = new NfaBuilder(nfa, NfaBuilder.REGULAR, limits);
        int end = nfa.addNode();
        for (int state = 0; state < stateCount(); state++) {
            nfa.addNode();
        }
        for (int state = 0; state < stateCount(); state++) {
            int from = state + 1;
            if (accepting[state]) {
                nfa.addEmpty(from, end);
            }
            forEachRange(state, (low, high, target) -> {
                int unchanged = low;
                for (int octet = low; octet <= high; octet++) {
                    List<String> texts = spellings.apply(octet);
                    if (texts != null) {
                        if (unchanged < octet) {
                            nfa.addBytes(from, unchanged, octet - 1, target + 1);
                        }
                        unchanged = octet + 1;
                        for (String text : texts) {
                            nfa.addEmpty(builder.build(new Expr.Literal(text), from, 0), target + 1);
                        }
                    }
                }
                if (unchanged <= high) {
                    nfa.addBytes(from, unchanged, high, target + 1);
                }
            });
        }
        return DfaMinimizer.minimal(
                new Determinizer(nfa, limits.maxDfaStates(), limits.maxEdges(), limits.maxWork()).strict(1, end),
                limits);
    }

    /** Returns the number of states; the start is state 0. */
    public int stateCount() {
        return accepting.length;
    }

    /**
     * Returns the state after a byte.
     *
     * @param octet byte, 0 to 255
     * @return the state, or {@link #DEAD}
     */
    public int next(int state, int octet) {
        return table[state * classCount + (byteClasses[octet] & 0xFF)];
    }

    /** Whether a text may end in a state. */
    public boolean accepts(int state) {
        return accepting[state];
    }

    /** Whether a text is of the language. */
    public boolean matches(byte[] text) {
        int state = 0;
        for (byte octet : text) {
            state = next(state, octet & 0xFF);
            if (state == DEAD) {
                return false;
            }
        }
        return accepting[state];
    }

    /** Whether the UTF-8 of a text is of the language. */
    public boolean matches(String text) {
        return matches(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Whether no text is of the language. */
    public boolean isEmpty() {
        return accepting.length == 1 && !accepting[0];
    }

    /** Whether only finitely many texts are of the language. */
    public boolean isFinite() {
        // Every state lies on a way to an end, so the language is infinite if and only if there is a cycle.
        int[] entries = new int[stateCount()];
        for (int target : table) {
            if (target != DEAD) {
                entries[target]++;
            }
        }
        IntList ready = new IntList();
        int done = 0;
        for (int state = 0; state < entries.length; state++) {
            if (entries[state] == 0) {
                ready.add(state);
            }
        }
        while (!ready.isEmpty()) {
            int state = ready.removeLast();
            done++;
            for (int index = 0; index < classCount; index++) {
                int target = table[state * classCount + index];
                if (target != DEAD && --entries[target] == 0) {
                    ready.add(target);
                }
            }
        }
        return done == entries.length;
    }

    /** Visits the ways on from a state, in the order of bytes. */
    void forEachRange(int state, RangeVisitor visitor) {
        int low = 0;
        int target = next(state, 0);
        for (int octet = 1; octet <= 256; octet++) {
            int following = octet == 256 ? DEAD : next(state, octet);
            if (octet == 256 || following != target) {
                if (target != DEAD) {
                    visitor.visit(low, octet - 1, target);
                }
                low = octet;
                target = following;
            }
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Dfa dfa
                && classCount == dfa.classCount
                && Arrays.equals(accepting, dfa.accepting)
                && Arrays.equals(byteClasses, dfa.byteClasses)
                && Arrays.equals(table, dfa.table);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(table) + Arrays.hashCode(accepting);
    }

    @Override
    public String toString() {
        return "Dfa of " + accepting.length + " states";
    }
}
