package io.millrace.grammar.json;

import static io.millrace.grammar.Expr.literal;
import static io.millrace.grammar.Expr.rule;
import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.grammar.Expr;
import io.millrace.grammar.Expr.Choice;
import io.millrace.grammar.GrammarSource;
import io.millrace.grammar.json.SchemaReader.Document;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Turns a JSON schema (draft 2020-12) into the grammar of the texts that it allows.
 *
 * <p><b>Exact.</b> Every text of the grammar is JSON that is valid, and every valid value has a text, but for what is
 * said here of the form. A schema that asks for anything else than this class obeys is refused with the path of the
 * keyword, in the message and as the error's parameter.
 *
 * <p><b>Form.</b> One space after each comma and colon, no other space. Properties stand in the order of
 * {@code properties}, then those that are only {@code required}, then others. Strings have all escapes of JSON if only
 * their length is limited; if they must match a pattern or a format, and in the names of properties that are not
 * declared, characters stand as they are, or by the short escape, or by {@code \\u00xx} in lower case where neither can
 * be. Values of {@code enum} and {@code const} are as {@link JsonValues} writes them. For numbers see {@link Numbers},
 * for formats {@link Formats}. A name that is not declared may come twice in an object, as JSON allows.
 *
 * <p><b>Keywords.</b> {@code type, enum, const, $ref} (into the same schema), {@code $defs, allOf, anyOf, oneOf} (where
 * the branches exclude each other for certain), {@code minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength,
 * maxLength, pattern, format, prefixItems, items, minItems, maxItems, properties, patternProperties,
 * additionalProperties, required, minProperties} (unless it takes two that are not declared) and
 * {@code maxProperties}. Annotations are ignored. {@code format} asserts; {@code $schema} is not looked at.
 */
public final class JsonSchemaCompiler {
    private static final String START = "root";

    private final Document document;
    private final SchemaLimits limits;
    private final Map<String, Expr> rules = new HashMap<>(JsonGrammars.RULES);
    private final Alternatives alternatives;
    private final StringLanguages strings;
    private final SchemaValues values;
    private final Disjointness disjointness;
    private final Containers containers;

    /** Rules of conjunctions by the places of their schemas, and those that are still to be written. */
    private final Map<Set<String>, String> named = new HashMap<>();

    private final Deque<Map.Entry<String, List<Schema>>> open = new ArrayDeque<>();

    private JsonSchemaCompiler(Document document, SchemaLimits limits) {
        this.document = document;
        this.limits = limits;
        Repeats repeats = new Repeats(rules);
        Steps steps = new Steps(limits.maxSteps());
        this.alternatives = new Alternatives(document, limits, steps);
        this.strings = new StringLanguages(limits, repeats);
        this.values = new SchemaValues(document, strings, limits, steps);
        this.disjointness = new Disjointness(alternatives, values, strings, steps);
        this.containers = new Containers(rules, repeats, strings, steps, this::ruleOf);
    }

    /**
     * Returns the grammar of a schema's texts.
     *
     * @param schema the schema: an object, true or false
     * @param limits how large it may be
     * @param path the request's field that it stands in; the paths in errors begin with it
     * @throws io.millrace.kv.ServingException {@code INVALID_REQUEST} if the schema is none, is not supported in all
     *     its keywords, matches nothing or is beyond a limit
     */
    public static GrammarSource compile(JsonNode schema, SchemaLimits limits, String path) {
        requireNonNull(schema, "schema");
        requireNonNull(limits, "limits");
        requireNonNull(path, "path");
        Document document = SchemaReader.read(schema, path, limits);
        return new JsonSchemaCompiler(document, limits).compile(path);
    }

    private GrammarSource compile(String path) {
        rules.put(START, rule(ruleOf(List.of(document.root()))));
        while (!open.isEmpty()) {
            Map.Entry<String, List<Schema>> next = open.remove();
            rules.put(next.getKey(), value(next.getValue()));
            if (rules.size() > limits.maxRules()) {
                throw SchemaErrors.refused(
                        next.getValue().get(0).path(), "the schema needs more than " + limits.maxRules() + " rules");
            }
        }
        Map<String, Expr> kept = Productive.of(START, rules);
        if (kept.isEmpty()) {
            throw SchemaErrors.refused(path, "no value matches this schema");
        }
        return new GrammarSource(START, kept);
    }

    /** Returns the rule of the values that match some schemas together. */
    private String ruleOf(List<Schema> schemas) {
        List<Schema> simple = alternatives.simplified(schemas);
        if (simple.isEmpty()) {
            return JsonGrammars.VALUE;
        }
        Set<String> key = Set.copyOf(simple.stream().map(Schema::path).toList());
        String name = named.get(key);
        if (name == null) {
            name = "value-" + named.size();
            named.put(key, name);
            open.add(Map.entry(name, simple));
        }
        return name;
    }

    private Expr value(List<Schema> schemas) {
        List<Expr> branches = new ArrayList<>();
        List<Shape> shapes = alternatives.of(schemas);
        schemas.forEach(schema -> disjointness.check(schema, document));
        for (Shape shape : shapes) {
            addBranches(shape, branches);
        }
        return branches.size() == 1 ? branches.get(0) : new Choice(branches);
    }

    private void addBranches(Shape shape, List<Expr> branches) {
        if (shape.parts().isEmpty()) {
            branches.add(rule(JsonGrammars.VALUE));
            return;
        }
        Collection<JsonNode> listed = shape.values();
        if (listed != null) {
            for (JsonNode value : listed) {
                if (values.matches(value, shape)) {
                    branches.add(literal(JsonValues.written(value)));
                }
            }
            return;
        }
        Set<JsonType> types = shape.types();
        for (JsonType type : JsonType.values()) {
            if (types.contains(type)) {
                addType(type, types, shape, branches);
            }
        }
    }

    private void addType(JsonType type, Set<JsonType> types, Shape shape, List<Expr> branches) {
        switch (type) {
            case NULL -> branches.add(literal("null"));
            case BOOLEAN -> {
                branches.add(literal("true"));
                branches.add(literal("false"));
            }
            case INTEGER -> {
                if (!types.contains(JsonType.FRACTION)) {
                    branches.add(Numbers.between(shape.least(), shape.most(), true));
                }
            }
            // Integers are among the texts of numbers.
            case FRACTION -> branches.add(Numbers.between(shape.least(), shape.most(), false));
            case STRING -> branches.add(strings.of(shape));
            case ARRAY -> branches.add(containers.array(shape));
            case OBJECT -> branches.add(containers.object(shape));
        }
    }
}
