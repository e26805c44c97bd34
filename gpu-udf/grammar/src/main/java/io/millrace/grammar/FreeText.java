package io.millrace.grammar;

import java.util.List;

/** Text that is not constrained, up to where something begins that is. All of it is UTF-8. */
public final class FreeText {
    private static final Expr ANY = Expr.many(new Expr.CharClass(CodePointSet.ALL));
    private static final Expr SOME = Expr.some(new Expr.CharClass(CodePointSet.ALL));

    private FreeText() {}

    /** Returns the expression of any text. */
    public static Expr any(GrammarLimits limits) {
        return new Expr.Automaton(Dfa.of(ANY, limits));
    }

    /** Returns the expression of any text that has none of the triggers in it. */
    public static Expr without(List<String> triggers, GrammarLimits limits) {
        Dfa with = Dfa.of(Expr.sequence(ANY, choice(triggers), ANY), limits);
        return new Expr.Automaton(Dfa.of(ANY, limits).minus(with, limits));
    }

    /**
     * Returns the expression of any text that ends with the first trigger in it. What is constrained follows, so
     * {@code many(sequence(through(t), call))} before {@code without(t)} is text with any number of calls.
     */
    public static Expr through(List<String> triggers, GrammarLimits limits) {
        Dfa ending = Dfa.of(Expr.sequence(ANY, choice(triggers)), limits);
        Dfa going = Dfa.of(Expr.sequence(ANY, choice(triggers), SOME), limits);
        return new Expr.Automaton(ending.minus(going, limits));
    }

    private static Expr choice(List<String> triggers) {
        return new Expr.Choice(triggers.stream().map(Expr::literal).toList());
    }
}
