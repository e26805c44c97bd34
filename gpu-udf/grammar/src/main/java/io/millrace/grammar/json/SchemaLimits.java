package io.millrace.grammar.json;

import static java.util.Objects.requireNonNull;

import io.millrace.grammar.GrammarLimits;

/**
 * How large a JSON schema may be. All are counts, so the same schema is refused everywhere or nowhere.
 *
 * @param maxSchemas most subschemas that are reached
 * @param maxDepth deepest nesting of subschemas, and of the values of {@code enum} and {@code const}
 * @param maxEntries most entries of one {@code enum}, {@code required}, {@code properties} or other list
 * @param maxTextChars most characters of all names, patterns and values together
 * @param maxAlternatives most ways in which the branches of {@code anyOf} and {@code oneOf} can be combined at one
 *     place
 * @param maxRules most rules of the grammar
 * @param maxSteps most steps of the checks whether something is empty, and whether a value of an {@code enum} is valid
 * @param automata limits of one automaton, of a pattern or a format for example
 * @param maxAutomataStates most states of all automata together
 */
public record SchemaLimits(
        int maxSchemas,
        int maxDepth,
        int maxEntries,
        int maxTextChars,
        int maxAlternatives,
        int maxRules,
        int maxSteps,
        GrammarLimits automata,
        int maxAutomataStates) {

    /** Limits for what clients send. */
    public static final SchemaLimits DEFAULT = new SchemaLimits(
            4_000,
            64,
            2_000,
            200_000,
            256,
            8_000,
            100_000,
            new GrammarLimits(2_000, 100, 100, 20_000, 40_000, 100_000, 4_000, 2_000_000, 100, 100),
            40_000);

    public SchemaLimits {
        requireNonNull(automata, "automata");
        if (maxSchemas < 1
                || maxDepth < 1
                || maxEntries < 1
                || maxTextChars < 1
                || maxAlternatives < 1
                || maxRules < 1
                || maxSteps < 1
                || maxAutomataStates < 1) {
            throw new IllegalArgumentException("limits are positive");
        }
    }
}
