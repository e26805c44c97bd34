package io.millrace.grammar.json;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One subschema, read and checked.
 *
 * @param path where it stands; no two subschemas of a document share it
 * @param types types that a value may have
 * @param values the only values there may be by their {@link JsonValues#key}, in order; or null
 * @param numbers what numbers must be
 * @param strings what strings must be
 * @param arrays what arrays must be
 * @param objects what objects must be
 * @param others other schemas that the same value must match
 */
record Schema(
        String path,
        Set<JsonType> types,
        @Nullable Map<String, JsonNode> values,
        NumberRules numbers,
        StringRules strings,
        ArrayRules arrays,
        ObjectRules objects,
        Others others) {
    Schema {
        requireNonNull(path, "path");
        types = Set.copyOf(types);
        values = values == null ? null : Collections.unmodifiableMap(new LinkedHashMap<>(values));
        requireNonNull(numbers, "numbers");
        requireNonNull(strings, "strings");
        requireNonNull(arrays, "arrays");
        requireNonNull(objects, "objects");
        requireNonNull(others, "others");
    }

    /** Returns the schema of a boolean: every value, or none. */
    static Schema of(String path, boolean any) {
        return new Schema(
                path,
                any ? JsonType.ALL : Set.of(),
                null,
                NumberRules.NONE,
                StringRules.NONE,
                ArrayRules.NONE,
                ObjectRules.NONE,
                Others.NONE);
    }

    /** Whether no value matches, whatever else is asked. */
    boolean isNever() {
        return types.isEmpty() || (values != null && values.isEmpty());
    }

    /** Whether this schema itself, apart from {@link #others}, asks nothing. */
    boolean asksNothing() {
        return types.equals(JsonType.ALL)
                && values == null
                && numbers.equals(NumberRules.NONE)
                && strings.equals(StringRules.NONE)
                && arrays.equals(ArrayRules.NONE)
                && objects.equals(ObjectRules.NONE);
    }

    /** A limit of numbers. */
    record Bound(BigDecimal value, boolean exclusive, String path) {}

    /** The limits of numbers; null where there is none. */
    record NumberRules(@Nullable Bound least, @Nullable Bound most) {
        static final NumberRules NONE = new NumberRules(null, null);
    }

    /** Something that a string must match: a pattern or the name of a format, and where it was said. */
    record Text(String value, String path) {}

    /** The length of strings in code points, and what they match. */
    record StringRules(
            int minLength,
            int maxLength,
            @Nullable Text pattern,
            @Nullable Text format,
            String path) {
        static final StringRules NONE = new StringRules(0, Integer.MAX_VALUE, null, null, "");
    }

    /** The length of arrays, their first elements, and all after those; null where any value will do. */
    record ArrayRules(
            int minItems,
            int maxItems,
            List<Schema> prefix,
            @Nullable Schema items) {
        static final ArrayRules NONE = new ArrayRules(0, Integer.MAX_VALUE, List.of(), null);

        ArrayRules {
            prefix = List.copyOf(prefix);
        }

        /** Returns what the element at an index must match, or null. */
        @Nullable
        Schema at(int index) {
            return index < prefix.size() ? prefix.get(index) : items;
        }
    }

    /** The properties of objects, in the order they were declared. */
    record ObjectRules(
            Map<String, Schema> properties,
            Map<Text, Schema> patterns,
            @Nullable Schema additional,
            Set<String> required,
            int minProperties,
            int maxProperties,
            String path) {
        static final ObjectRules NONE = new ObjectRules(Map.of(), Map.of(), null, Set.of(), 0, Integer.MAX_VALUE, "");

        ObjectRules {
            properties = Collections.unmodifiableMap(new LinkedHashMap<>(properties));
            patterns = Collections.unmodifiableMap(new LinkedHashMap<>(patterns));
            required = Collections.unmodifiableSet(new LinkedHashSet<>(required));
        }
    }

    /** Other schemas for the same value: one that is referred to, all of some, any of some, exactly one of some. */
    record Others(
            @Nullable String ref,
            List<Schema> allOf,
            @Nullable List<Schema> anyOf,
            @Nullable List<Schema> oneOf) {
        static final Others NONE = new Others(null, List.of(), null, null);

        Others {
            allOf = List.copyOf(allOf);
            anyOf = anyOf == null ? null : List.copyOf(anyOf);
            oneOf = oneOf == null ? null : List.copyOf(oneOf);
        }
    }
}
