package io.millrace.grammar;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;

/**
 * How large a grammar may be. All are counts, so the same grammar is refused everywhere or nowhere.
 *
 * @param maxSourceChars most characters of a regular expression or of a grammar's text
 * @param maxRules most rules
 * @param maxDepth deepest nesting of expressions
 * @param maxExprs most expressions of all rules together
 * @param maxNodes most nodes of all automata of a grammar, before they are made deterministic
 * @param maxEdges most edges between those nodes, and most edges of a deterministic automaton
 * @param maxDfaStates most states of a deterministic automaton
 * @param maxWork most edges looked at while automata are made deterministic, and while one byte of a text is taken
 * @param maxStackDepth deepest nesting of rules in a text. What would nest deeper is not allowed, as if the grammar
 *     had no such text.
 * @param maxLiveStates most states of a {@link TokenGrammar} that are kept before the table of them is begun anew
 */
public record GrammarLimits(
        int maxSourceChars,
        int maxRules,
        int maxDepth,
        int maxExprs,
        int maxNodes,
        int maxEdges,
        int maxDfaStates,
        int maxWork,
        int maxStackDepth,
        int maxLiveStates) {

    /** Limits for what clients send. */
    public static final GrammarLimits DEFAULT =
            new GrammarLimits(200_000, 10_000, 200, 200_000, 200_000, 1_000_000, 20_000, 20_000_000, 500, 20_000);

    public GrammarLimits {
        if (maxSourceChars < 1
                || maxRules < 1
                || maxDepth < 1
                || maxExprs < 1
                || maxNodes < 1
                || maxEdges < 1
                || maxDfaStates < 1
                || maxWork < 1
                || maxStackDepth < 1
                || maxLiveStates < 1) {
            throw new IllegalArgumentException("limits are positive");
        }
    }

    /** Returns the error of a limit that something exceeds. */
    static ServingException exceeded(String what, int limit) {
        return new ServingException(ErrorCode.INVALID_REQUEST, "the grammar " + what + ", the limit is " + limit);
    }
}
