package io.millrace.grammar.json;

import static io.millrace.grammar.Expr.choice;
import static io.millrace.grammar.Expr.literal;
import static io.millrace.grammar.Expr.many;
import static io.millrace.grammar.Expr.optional;
import static io.millrace.grammar.Expr.rule;
import static io.millrace.grammar.Expr.sequence;

import io.millrace.grammar.Expr;
import io.millrace.grammar.GrammarSource;
import java.util.HashMap;
import java.util.Map;

/**
 * The grammars of JSON that no schema narrows, in the fixed form of {@link JsonSchemaCompiler}: one space after each
 * comma and colon, no other space.
 */
public final class JsonGrammars {
    static final String VALUE = "json-value";
    static final String OBJECT = "json-object";
    static final String ARRAY = "json-array";
    static final String STRING = "json-string";
    static final String NUMBER = "json-number";
    static final String INTEGER = "json-integer";
    static final String MEMBER = "json-member";

    /** What stands between two elements, or two members. */
    static final Expr COMMA = literal(", ");

    /** Rules of all kinds of values. */
    static final Map<String, Expr> RULES = Map.of(
            VALUE,
            choice(
                    literal("null"),
                    literal("true"),
                    literal("false"),
                    rule(NUMBER),
                    rule(STRING),
                    rule(ARRAY),
                    rule(OBJECT)),
            OBJECT,
            sequence(literal("{"), optional(sequence(rule(MEMBER), many(sequence(COMMA, rule(MEMBER))))), literal("}")),
            MEMBER,
            sequence(rule(STRING), literal(": "), rule(VALUE)),
            ARRAY,
            sequence(literal("["), optional(sequence(rule(VALUE), many(sequence(COMMA, rule(VALUE))))), literal("]")),
            STRING,
            sequence(literal("\""), many(JsonStrings.CHARACTER), literal("\"")),
            NUMBER,
            Numbers.ANY,
            INTEGER,
            Numbers.ANY_INTEGER);

    private JsonGrammars() {}

    /** Returns the grammar of every JSON value. */
    public static GrammarSource value() {
        return new GrammarSource(VALUE, RULES);
    }

    /** Returns the grammar of every JSON object. */
    public static GrammarSource anyObject() {
        return new GrammarSource(OBJECT, new HashMap<>(RULES));
    }
}
