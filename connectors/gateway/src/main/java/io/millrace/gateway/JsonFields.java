package io.millrace.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The fields of one JSON object, read by type. What is of the wrong type or out of range is refused with its JSON path.
 * A field that is {@code null} counts as absent.
 */
final class JsonFields {
    private static final int SHOWN_VALUE_CHARS = 60;

    private final ObjectNode node;
    private final String path;

    JsonFields(ObjectNode node, String path) {
        this.node = node;
        this.path = path;
    }

    static String join(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    static String orBody(String path) {
        return path.isEmpty() ? "the request body" : path;
    }

    /** The object at a path, or a refusal if it is none. */
    static JsonFields of(JsonNode node, String path) {
        if (node instanceof ObjectNode object) {
            return new JsonFields(object, path);
        }
        throw wrong(path, "must be an object", node);
    }

    static ServingException wrong(String path, String rule, @Nullable JsonNode value) {
        String shown = "";
        if (value != null) {
            String text = value.toString();
            shown = ", but is "
                    + (text.length() <= SHOWN_VALUE_CHARS ? text : text.substring(0, SHOWN_VALUE_CHARS) + "…");
        }
        return refuse(path, rule + shown);
    }

    static ServingException refuse(String path, String what) {
        return new ServingException(ErrorCode.INVALID_REQUEST, orBody(path) + " " + what, path, null);
    }

    /** A refusal of one of this object's fields. */
    ServingException refuseField(String name, String what) {
        return refuse(path(name), what);
    }

    String path(String name) {
        return join(path, name);
    }

    ObjectNode node() {
        return node;
    }

    /** The field's value, or null if it is absent or {@code null}. */
    @Nullable
    JsonNode get(String name) {
        JsonNode value = node.get(name);
        return value == null || value.isNull() ? null : value;
    }

    boolean has(String name) {
        return get(name) != null;
    }

    @Nullable
    String string(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return null;
        }
        if (!value.isTextual()) {
            throw wrong(path(name), "must be a string", value);
        }
        return value.textValue();
    }

    String requiredString(String name) {
        String value = string(name);
        if (value == null) {
            throw refuse(path(name), "is required");
        }
        return value;
    }

    boolean bool(String name, boolean absent) {
        JsonNode value = get(name);
        if (value == null) {
            return absent;
        }
        if (!value.isBoolean()) {
            throw wrong(path(name), "must be true or false", value);
        }
        return value.booleanValue();
    }

    long integer(String name, long min, long max, long absent) {
        JsonNode value = get(name);
        return value == null ? absent : integer(value, path(name), min, max);
    }

    static long integer(JsonNode value, String path, long min, long max) {
        if (!value.isIntegralNumber()
                || !value.canConvertToLong()
                || value.longValue() < min
                || value.longValue() > max) {
            throw wrong(path, "must be an integer from " + min + " to " + max, value);
        }
        return value.longValue();
    }

    float number(String name, double min, double max, double absent) {
        JsonNode value = get(name);
        return value == null ? (float) absent : number(value, path(name), min, max);
    }

    /** A finite number as a float: refused by the value that the client wrote, so that rounding cannot hide it. */
    static float number(JsonNode value, String path, double min, double max) {
        if (!value.isNumber() || !(value.doubleValue() >= min && value.doubleValue() <= max)) {
            throw wrong(path, "must be a number from " + plain(min) + " to " + plain(max), value);
        }
        return (float) value.doubleValue();
    }

    private static String plain(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    @Nullable
    JsonFields object(String name) {
        JsonNode value = get(name);
        return value == null ? null : of(value, path(name));
    }

    /** The elements of an array of at most so many; empty if the field is absent. */
    List<JsonNode> array(String name, int maxSize) {
        JsonNode value = get(name);
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            throw wrong(path(name), "must be an array", value);
        }
        if (value.size() > maxSize) {
            throw refuse(path(name), "may have " + maxSize + " elements at most, but has " + value.size());
        }
        List<JsonNode> elements = new ArrayList<>(value.size());
        value.forEach(elements::add);
        return elements;
    }
}
