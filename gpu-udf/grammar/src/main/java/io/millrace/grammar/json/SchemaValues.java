package io.millrace.grammar.json;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.grammar.json.SchemaReader.Document;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Whether a value of an {@code enum} or {@code const} matches the other schemas for it. */
final class SchemaValues {
    private final Document document;
    private final StringLanguages strings;
    private final SchemaLimits limits;
    private final Steps steps;

    /** Keys of values that were looked at; by identity, since equal values may be long. */
    private final Map<JsonNode, String> keys = new IdentityHashMap<>();

    SchemaValues(Document document, StringLanguages strings, SchemaLimits limits, Steps steps) {
        this.document = document;
        this.strings = strings;
        this.limits = limits;
        this.steps = steps;
    }

    /** Whether a value matches a shape. */
    boolean matches(JsonNode value, Shape shape) {
        return matches(value, shape, 0);
    }

    private boolean matches(JsonNode value, Shape shape, int depth) {
        for (Schema part : shape.parts()) {
            steps.count(part.path());
            if (part.values() != null && !part.values().containsKey(keys.computeIfAbsent(value, JsonValues::key))) {
                return false;
            }
        }
        if (!shape.types().contains(JsonType.of(value))) {
            return false;
        }
        return switch (JsonType.of(value)) {
            case NULL, BOOLEAN -> true;
            case INTEGER, FRACTION -> shape.hasNumber(value.decimalValue());
            case STRING -> strings.matches(value.textValue(), shape);
            case ARRAY -> isArray(value, shape, depth);
            case OBJECT -> isObject(value, shape, depth);
        };
    }

    private boolean isArray(JsonNode value, Shape shape, int depth) {
        if (value.size() < shape.minItems() || value.size() > shape.maxItems()) {
            return false;
        }
        for (int i = 0; i < value.size(); i++) {
            if (!matchesAll(value.get(i), shape.item(i), depth)) {
                return false;
            }
        }
        return true;
    }

    private boolean isObject(JsonNode value, Shape shape, int depth) {
        if (value.size() < shape.minProperties() || value.size() > shape.maxProperties()) {
            return false;
        }
        for (String name : shape.required()) {
            if (!value.has(name)) {
                return false;
            }
        }
        for (Map.Entry<String, JsonNode> property : value.properties()) {
            Set<String> matched =
                    strings.matching(property.getKey(), shape.namePatterns().values());
            if (!matchesAll(property.getValue(), shape.property(property.getKey(), matched), depth)) {
                return false;
            }
        }
        return true;
    }

    private boolean matchesAll(JsonNode value, List<Schema> schemas, int depth) {
        for (Schema schema : schemas) {
            if (!matches(value, schema, new HashSet<>(), depth + 1)) {
                return false;
            }
        }
        return true;
    }

    private boolean matches(JsonNode value, Schema schema, Set<String> open, int depth) {
        steps.count(schema.path());
        if (depth > 2 * limits.maxDepth() || !open.add(schema.path())) {
            throw SchemaErrors.refused(schema.path(), "this schema refers to itself for the same value");
        }
        Schema.Others others = schema.others();
        boolean matches = matches(value, new Shape(List.of(schema)), depth)
                && (others.ref() == null || matches(value, document.at(others.ref()), open, depth))
                && others.allOf().stream().allMatch(all -> matches(value, all, open, depth))
                && (others.anyOf() == null || others.anyOf().stream().anyMatch(any -> matches(value, any, open, depth)))
                && (others.oneOf() == null
                        || others.oneOf().stream()
                                        .filter(one -> matches(value, one, open, depth))
                                        .count()
                                == 1);
        open.remove(schema.path());
        return matches;
    }
}
