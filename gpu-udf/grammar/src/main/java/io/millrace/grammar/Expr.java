package io.millrace.grammar;

import static java.util.Objects.requireNonNull;

import java.util.List;

/** A language over UTF-8 bytes: an immutable tree of expressions, recursive by the names of rules. */
public sealed interface Expr {
    /** The language of the empty text alone. */
    Expr EMPTY = new Literal("");

    /** The UTF-8 bytes of one text. Lone surrogates are refused where a grammar is compiled. */
    record Literal(String text) implements Expr {
        public Literal {
            requireNonNull(text, "text");
        }
    }

    /** One code point of a set, as UTF-8. An empty set matches nothing. */
    record CharClass(CodePointSet set) implements Expr {
        public CharClass {
            requireNonNull(set, "set");
        }
    }

    /** One part after the other. */
    record Sequence(List<Expr> parts) implements Expr {
        public Sequence {
            parts = List.copyOf(parts);
        }
    }

    /** One of several. No branches match nothing. */
    record Choice(List<Expr> branches) implements Expr {
        public Choice {
            branches = List.copyOf(branches);
        }
    }

    /**
     * The same thing several times.
     *
     * @param min fewest times
     * @param max most times; {@link #UNBOUNDED} where there is no limit
     */
    record Repeat(Expr body, int min, int max) implements Expr {
        /** No limit on how often. */
        public static final int UNBOUNDED = Integer.MAX_VALUE;

        public Repeat {
            requireNonNull(body, "body");
            if (min < 0 || max < min) {
                throw new IllegalArgumentException("no number of times: " + min + " to " + max);
            }
        }
    }

    /** What the rule of this name matches. */
    record Rule(String name) implements Expr {
        public Rule {
            requireNonNull(name, "name");
        }
    }

    /** A regular language, as an automaton over bytes. */
    record Automaton(Dfa dfa) implements Expr {
        public Automaton {
            requireNonNull(dfa, "dfa");
        }
    }

    /** Returns the expression of one text. */
    static Expr literal(String text) {
        return new Literal(text);
    }

    /** Returns the expression of one part after the other. */
    static Expr sequence(Expr... parts) {
        return new Sequence(List.of(parts));
    }

    /** Returns the expression of one of several branches. */
    static Expr choice(Expr... branches) {
        return new Choice(List.of(branches));
    }

    /** Returns the expression of something that may be left out. */
    static Expr optional(Expr body) {
        return new Repeat(body, 0, 1);
    }

    /** Returns the expression of something any number of times, also never. */
    static Expr many(Expr body) {
        return new Repeat(body, 0, Repeat.UNBOUNDED);
    }

    /** Returns the expression of something any number of times, at least once. */
    static Expr some(Expr body) {
        return new Repeat(body, 1, Repeat.UNBOUNDED);
    }

    /** Returns the expression of a rule's name. */
    static Expr rule(String name) {
        return new Rule(name);
    }
}
