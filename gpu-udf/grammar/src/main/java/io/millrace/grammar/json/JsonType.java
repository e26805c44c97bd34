package io.millrace.grammar.json;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The types of JSON values. Numbers are two: those without a fraction, and the others. */
enum JsonType {
    NULL,
    BOOLEAN,
    INTEGER,
    /** Numbers that are not integers. */
    FRACTION,
    STRING,
    ARRAY,
    OBJECT;

    /** Every type. */
    static final Set<JsonType> ALL = Set.of(values());

    /** Returns the types of a name of {@code type}, or null if there is no such name. */
    static @Nullable Set<JsonType> named(String name) {
        if (name.equals("number")) {
            return EnumSet.of(INTEGER, FRACTION);
        }
        for (JsonType type : values()) {
            if (type != FRACTION && type.name().toLowerCase(Locale.ROOT).equals(name)) {
                return EnumSet.of(type);
            }
        }
        return null;
    }

    /** Returns the type of a value. */
    static JsonType of(JsonNode value) {
        return switch (value.getNodeType()) {
            case NULL, MISSING -> NULL;
            case BOOLEAN -> BOOLEAN;
            case NUMBER -> isInteger(value.decimalValue()) ? INTEGER : FRACTION;
            case STRING, BINARY -> STRING;
            case ARRAY -> ARRAY;
            case OBJECT, POJO -> OBJECT;
        };
    }

    private static boolean isInteger(BigDecimal number) {
        return number.stripTrailingZeros().scale() <= 0;
    }
}
