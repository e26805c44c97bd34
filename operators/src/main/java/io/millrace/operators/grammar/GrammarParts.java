package io.millrace.operators.grammar;

import static io.millrace.grammar.Expr.choice;
import static io.millrace.grammar.Expr.literal;
import static io.millrace.grammar.Expr.many;
import static io.millrace.grammar.Expr.rule;
import static io.millrace.grammar.Expr.sequence;

import io.millrace.grammar.CodePointSet;
import io.millrace.grammar.Dfa;
import io.millrace.grammar.Expr;
import io.millrace.grammar.FreeText;
import io.millrace.grammar.GrammarLimits;
import io.millrace.grammar.GrammarSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Puts grammars together into one: the rules of each get names of their own. */
final class GrammarParts {
    private static final String ROOT = "root";
    private static final GrammarLimits LIMITS = GrammarLimits.DEFAULT;
    private static final Expr ANY_TEXT = many(new Expr.CharClass(CodePointSet.ALL));

    private final Map<String, Expr> rules = new LinkedHashMap<>();

    /** What another grammar matches. It is asked for once a name. */
    Expr include(String name, Supplier<GrammarSource> grammar) {
        if (!rules.containsKey(name)) {
            GrammarSource source = grammar.get();
            String prefix = name + "-";
            source.rules().forEach((rule, body) -> rules.put(prefix + rule, renamed(body, prefix)));
            rules.put(name, rule(prefix + source.start()));
        }
        return rule(name);
    }

    /** A rule of a name; the first body that comes by that name counts. */
    Expr named(String name, Expr body) {
        rules.putIfAbsent(name, body);
        return rule(name);
    }

    /** Any text that does not contain another. */
    Expr textWithout(String trigger) {
        return FreeText.without(List.of(trigger), LIMITS);
    }

    /** Any text that does not contain another, and whose first character behind white space is not a certain one. */
    Expr textWithout(String trigger, char first) {
        Expr space = many(new Expr.CharClass(CodePointSet.of(" \t\r\n")));
        Expr excluded = choice(
                sequence(ANY_TEXT, literal(trigger), ANY_TEXT),
                sequence(space, literal(String.valueOf(first)), ANY_TEXT));
        return new Expr.Automaton(Dfa.of(ANY_TEXT, LIMITS).minus(Dfa.of(excluded, LIMITS), LIMITS));
    }

    /** The grammar whose texts are those of an expression. */
    GrammarSource source(Expr root) {
        rules.put(ROOT, root);
        return new GrammarSource(ROOT, rules);
    }

    private static Expr renamed(Expr expr, String prefix) {
        if (expr instanceof Expr.Rule reference) {
            return rule(prefix + reference.name());
        } else if (expr instanceof Expr.Sequence sequence) {
            return new Expr.Sequence(renamed(sequence.parts(), prefix));
        } else if (expr instanceof Expr.Choice choice) {
            return new Expr.Choice(renamed(choice.branches(), prefix));
        } else if (expr instanceof Expr.Repeat repeat) {
            return new Expr.Repeat(renamed(repeat.body(), prefix), repeat.min(), repeat.max());
        }
        return expr;
    }

    private static List<Expr> renamed(List<Expr> exprs, String prefix) {
        return exprs.stream().map(expr -> renamed(expr, prefix)).toList();
    }
}
