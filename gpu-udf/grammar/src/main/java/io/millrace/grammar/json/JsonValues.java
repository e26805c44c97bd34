package io.millrace.grammar.json;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;

/** JSON values: when two are the same, and how one is written. */
final class JsonValues {
    /** Digits after which a number is written with an exponent. */
    private static final int MAX_PLAIN_DIGITS = 20;

    private JsonValues() {}

    /**
     * Returns a text that two values share if and only if they are the same as JSON Schema counts it: numbers by value,
     * objects whatever their order.
     */
    static String key(JsonNode value) {
        StringBuilder key = new StringBuilder();
        addKey(value, key);
        return key.toString();
    }

    private static void addKey(JsonNode value, StringBuilder key) {
        if (value.isNumber()) {
            BigDecimal number = value.decimalValue();
            key.append(number.signum() == 0 ? "0" : number.stripTrailingZeros().toString());
        } else if (value.isArray()) {
            key.append('[');
            for (JsonNode element : value) {
                addKey(element, key);
                key.append(',');
            }
            key.append(']');
        } else if (value.isObject()) {
            key.append('{');
            Map<String, JsonNode> sorted = new TreeMap<>();
            value.properties().forEach(field -> sorted.put(field.getKey(), field.getValue()));
            sorted.forEach((name, member) -> {
                JsonStrings.write(name, key);
                addKey(member, key);
                key.append(',');
            });
            key.append('}');
        } else {
            write(value, key);
        }
    }

    /** Returns the text of a value in the fixed form. */
    static String written(JsonNode value) {
        StringBuilder text = new StringBuilder();
        write(value, text);
        return text.toString();
    }

    private static void write(JsonNode value, StringBuilder text) {
        if (value.isTextual()) {
            JsonStrings.write(value.textValue(), text);
        } else if (value.isNumber()) {
            text.append(number(value));
        } else if (value.isArray()) {
            text.append('[');
            for (int i = 0; i < value.size(); i++) {
                text.append(i == 0 ? "" : ", ");
                write(value.get(i), text);
            }
            text.append(']');
        } else if (value.isObject()) {
            text.append('{');
            Iterator<Map.Entry<String, JsonNode>> fields = value.properties().iterator();
            while (fields.hasNext()) {
                Map.Entry<String, JsonNode> field = fields.next();
                JsonStrings.write(field.getKey(), text);
                text.append(": ");
                write(field.getValue(), text);
                text.append(fields.hasNext() ? ", " : "");
            }
            text.append('}');
        } else {
            text.append(value);
        }
    }

    private static String number(JsonNode value) {
        BigDecimal number = value.decimalValue();
        boolean plain = number.precision() <= MAX_PLAIN_DIGITS && Math.abs(number.scale()) <= MAX_PLAIN_DIGITS;
        return plain ? number.toPlainString() : number.toString();
    }
}
