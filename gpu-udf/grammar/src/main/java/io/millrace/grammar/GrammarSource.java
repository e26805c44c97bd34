package io.millrace.grammar;

import static java.util.Objects.requireNonNull;

import java.util.Map;

/**
 * A grammar as front ends write it: named rules, and the one that the whole text is to match.
 *
 * @param start name of the rule that the whole text matches
 * @param rules what each rule matches
 */
public record GrammarSource(String start, Map<String, Expr> rules) {
    public GrammarSource {
        requireNonNull(start, "start");
        rules = Map.copyOf(rules);
    }

    /** Returns the grammar of one expression that uses no rules. */
    public static GrammarSource of(Expr expr) {
        return new GrammarSource("root", Map.of("root", expr));
    }
}
