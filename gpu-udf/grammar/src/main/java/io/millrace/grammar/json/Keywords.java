package io.millrace.grammar.json;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.grammar.json.Schema.Bound;
import io.millrace.grammar.json.Schema.Text;
import java.math.BigDecimal;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The keywords of one schema object, read as the kinds they must be. */
final class Keywords {
    /** Keywords that assert nothing. */
    private static final Set<String> ANNOTATIONS = Set.of(
            "title",
            "description",
            "default",
            "example",
            "examples",
            "$schema",
            "$comment",
            "$anchor",
            "$defs",
            "definitions",
            "deprecated",
            "readOnly",
            "writeOnly",
            "discriminator");

    /** Keywords that are read. */
    static final Set<String> READ = Set.of(
            "type",
            "enum",
            "const",
            "$ref",
            "allOf",
            "anyOf",
            "oneOf",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "minLength",
            "maxLength",
            "pattern",
            "format",
            "prefixItems",
            "items",
            "minItems",
            "maxItems",
            "properties",
            "patternProperties",
            "additionalProperties",
            "required",
            "minProperties",
            "maxProperties");

    /** Digits that a number may need when it is written without an exponent. */
    private static final int MAX_NUMBER_SPAN = 400;

    private final JsonNode schema;
    private final String path;
    private final SchemaLimits limits;

    Keywords(JsonNode schema, String path, SchemaLimits limits) {
        this.schema = schema;
        this.path = path;
        this.limits = limits;
    }

    /** Refuses every keyword that is neither read nor without effect. */
    void checkKnown(boolean root) {
        schema.fieldNames().forEachRemaining(name -> {
            JsonNode value = schema.get(name);
            boolean without = ANNOTATIONS.contains(name)
                    || name.startsWith("x-")
                    || (name.equals("uniqueItems") && value.isBoolean() && !value.booleanValue());
            if (name.equals("$id")) {
                if (!root) {
                    throw refused(name, "is supported at the root alone");
                }
            } else if (!without && !READ.contains(name)) {
                throw refused(name, "this keyword is not supported");
            }
        });
    }

    io.millrace.kv.ServingException refused(String keyword, String why) {
        return SchemaErrors.refused(at(keyword), why);
    }

    /** Returns the place of a keyword. */
    String at(String keyword) {
        return SchemaErrors.member(path, keyword);
    }

    @Nullable
    JsonNode get(String keyword) {
        return schema.get(keyword);
    }

    /** Returns the types of {@code type}: all where it is missing. */
    Set<JsonType> types() {
        JsonNode type = schema.get("type");
        if (type == null) {
            return JsonType.ALL;
        }
        if (type.isTextual()) {
            return type(type, at("type"));
        }
        if (!type.isArray() || type.isEmpty() || type.size() > limits.maxEntries()) {
            throw refused("type", "is a type or a list of types");
        }
        Set<JsonType> types = EnumSet.noneOf(JsonType.class);
        for (int i = 0; i < type.size(); i++) {
            types.addAll(type(type.get(i), SchemaErrors.element(at("type"), i)));
        }
        return types;
    }

    private static Set<JsonType> type(JsonNode name, String where) {
        Set<JsonType> types = JsonType.named(name.asText());
        if (!name.isTextual() || types == null) {
            throw SchemaErrors.refused(where, "is no type: " + SchemaErrors.shown(name.toString()));
        }
        return types;
    }

    /** Returns a count, or what is given where the keyword is missing. */
    int count(String keyword, int otherwise) {
        JsonNode value = schema.get(keyword);
        if (value == null) {
            return otherwise;
        }
        BigDecimal number = number(keyword, value);
        if (JsonType.of(value) != JsonType.INTEGER || number.signum() < 0) {
            throw refused(keyword, "is a count, from 0");
        }
        if (number.compareTo(BigDecimal.valueOf(Integer.MAX_VALUE)) > 0) {
            throw refused(keyword, "is more than " + Integer.MAX_VALUE);
        }
        return number.intValue();
    }

    /** Returns the tighter of a limit and its exclusive form, or null where both are missing. */
    @Nullable
    Bound bound(String keyword, String exclusiveKeyword, int sign) {
        Bound inclusive = bound(keyword, false);
        Bound exclusive = bound(exclusiveKeyword, true);
        if (inclusive == null || exclusive == null) {
            return inclusive == null ? exclusive : inclusive;
        }
        return inclusive.value().compareTo(exclusive.value()) * sign > 0 ? inclusive : exclusive;
    }

    private @Nullable Bound bound(String keyword, boolean exclusive) {
        JsonNode value = schema.get(keyword);
        return value == null ? null : new Bound(number(keyword, value), exclusive, at(keyword));
    }

    private BigDecimal number(String keyword, JsonNode value) {
        if (!value.isNumber() || !isFinite(value)) {
            throw refused(keyword, "is a number");
        }
        BigDecimal number = value.decimalValue();
        if (isWide(number)) {
            throw refused(keyword, "has more than " + MAX_NUMBER_SPAN + " digits");
        }
        return number.signum() == 0 ? BigDecimal.ZERO : number.stripTrailingZeros();
    }

    static boolean isFinite(JsonNode number) {
        return !number.isFloatingPointNumber() || number.isBigDecimal() || Double.isFinite(number.doubleValue());
    }

    /** Whether a number takes too many digits without an exponent. */
    static boolean isWide(BigDecimal number) {
        return Math.abs((long) number.scale()) > MAX_NUMBER_SPAN || number.precision() > MAX_NUMBER_SPAN;
    }

    /** Returns a text, or null where the keyword is missing. */
    @Nullable
    Text text(String keyword) {
        JsonNode value = schema.get(keyword);
        if (value == null) {
            return null;
        }
        if (!value.isTextual()) {
            throw refused(keyword, "is a text");
        }
        return new Text(value.textValue(), at(keyword));
    }

    /** Returns the names of {@code required}, in order. */
    Set<String> required() {
        Set<String> names = new LinkedHashSet<>();
        JsonNode value = schema.get("required");
        if (value == null) {
            return names;
        }
        if (!value.isArray() || value.size() > limits.maxEntries()) {
            throw refused("required", "is a list of at most " + limits.maxEntries() + " names");
        }
        for (int i = 0; i < value.size(); i++) {
            if (!value.get(i).isTextual()) {
                throw SchemaErrors.refused(SchemaErrors.element(at("required"), i), "is a name");
            }
            names.add(value.get(i).textValue());
        }
        return names;
    }
}
