package io.millrace.grammar.json;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Whether the branches of a {@code oneOf} exclude each other for certain, so that exactly one of them is any of them.
 */
final class Disjointness {
    /** How deep into properties and elements a difference is looked for. */
    private static final int MAX_DEPTH = 4;

    private final Alternatives alternatives;
    private final SchemaValues values;
    private final StringLanguages strings;
    private final Steps steps;
    private final Set<String> checked = new HashSet<>();

    Disjointness(Alternatives alternatives, SchemaValues values, StringLanguages strings, Steps steps) {
        this.alternatives = alternatives;
        this.values = values;
        this.strings = strings;
        this.steps = steps;
    }

    /** Refuses each {@code oneOf} of a schema, or of those for the same value, whose branches may overlap. */
    void check(Schema schema, SchemaReader.Document document) {
        if (!checked.add(schema.path())) {
            return;
        }
        Schema.Others others = schema.others();
        if (others.ref() != null) {
            check(document.at(others.ref()), document);
        }
        others.allOf().forEach(all -> check(all, document));
        if (others.anyOf() != null) {
            others.anyOf().forEach(any -> check(any, document));
        }
        if (others.oneOf() == null) {
            return;
        }
        List<Schema> branches = others.oneOf();
        branches.forEach(one -> check(one, document));
        for (int i = 0; i < branches.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (!exclude(schema, branches.get(j), branches.get(i))) {
                    throw SchemaErrors.refused(
                            SchemaErrors.member(schema.path(), "oneOf"),
                            "branches " + j + " and " + i + " may both match; only branches that exclude each other"
                                    + " are supported (or use anyOf)");
                }
            }
        }
    }

    /** Whether no value that matches a schema's own keywords can match both branches. */
    private boolean exclude(Schema around, Schema left, Schema right) {
        Shape own = new Shape(List.of(around));
        for (Shape first : alternatives.of(List.of(left))) {
            for (Shape second : alternatives.of(List.of(right))) {
                List<Schema> parts = new ArrayList<>(first.parts());
                parts.addAll(second.parts());
                parts.addAll(own.parts());
                if (!isEmpty(new Shape(parts), 0)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Whether no value matches a shape, for certain. */
    private boolean isEmpty(Shape shape, int depth) {
        steps.count(shape.parts().isEmpty() ? "" : shape.parts().get(0).path());
        Set<JsonType> types = shape.types();
        Collection<JsonNode> listed = shape.values();
        if (listed != null) {
            return listed.stream().noneMatch(value -> values.matches(value, shape));
        }
        for (JsonType type : types) {
            boolean empty = switch (type) {
                case NULL, BOOLEAN -> false;
                case INTEGER -> shape.hasNoNumber(true);
                case FRACTION -> shape.hasNoNumber(false);
                case STRING -> strings.isEmpty(shape);
                case ARRAY -> hasNoArray(shape, depth);
                case OBJECT -> hasNoObject(shape, depth);
            };
            if (!empty) {
                return false;
            }
        }
        return true;
    }

    private boolean hasNoArray(Shape shape, int depth) {
        int needed = shape.minItems();
        if (needed > shape.maxItems()) {
            return true;
        }
        int distinct = Math.min(needed, shape.prefixItems() + 1);
        for (int i = 0; i < distinct; i++) {
            if (isEmpty(shape.item(i), depth)) {
                return true;
            }
        }
        return false;
    }

    private boolean hasNoObject(Shape shape, int depth) {
        Set<String> required = shape.required();
        if (Math.max(required.size(), shape.minProperties()) > shape.maxProperties()) {
            return true;
        }
        for (String name : required) {
            Set<String> matched = strings.matching(name, shape.namePatterns().values());
            if (isEmpty(shape.property(name, matched), depth)) {
                return true;
            }
        }
        return false;
    }

    private boolean isEmpty(List<Schema> schemas, int depth) {
        if (depth >= MAX_DEPTH || schemas.isEmpty()) {
            return false;
        }
        for (Shape shape : alternatives.of(schemas)) {
            if (!isEmpty(shape, depth + 1)) {
                return false;
            }
        }
        return true;
    }
}
