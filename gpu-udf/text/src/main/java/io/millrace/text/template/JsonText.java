package io.millrace.text.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Writes values as JSON in the form of Python's {@code json.dumps}. */
final class JsonText {
    /**
     * How the JSON is laid out.
     *
     * @param indent what one level is indented by; null for one line
     */
    record Format(
            boolean asciiOnly,
            @org.jspecify.annotations.Nullable String indent,
            String itemSeparator,
            String keySeparator,
            boolean sortKeys) {
        /** One line, as the {@code tojson} filter of chat templates writes without arguments. */
        static final Format LINE = new Format(false, null, ", ", ": ", false);
    }

    private final Format format;
    private final Budget budget;
    private final StringBuilder out = new StringBuilder();

    private JsonText(Format format, Budget budget) {
        this.format = format;
        this.budget = budget;
    }

    /** Returns a value's JSON; what JSON has no form for is an error. */
    static String of(Object value, Format format, Budget budget) {
        JsonText text = new JsonText(format, budget);
        text.write(value, 1);
        return text.out.toString();
    }

    private void write(Object value, int level) {
        budget.grow(out.length(), 8);
        if (value instanceof String text) {
            quote(text);
        } else if (value instanceof Markup markup) {
            quote(markup.text());
        } else if (value instanceof List<?> items && !(value instanceof Range)) {
            list(items, level);
        } else if (value instanceof Map<?, ?> map) {
            dict(map, level);
        } else {
            out.append(scalar(value));
        }
    }

    private static String scalar(Object value) {
        if (value instanceof None) {
            return "null";
        }
        if (value instanceof Boolean || value instanceof Long || value instanceof BigInteger) {
            return value.toString();
        }
        if (value instanceof Double number) {
            if (Double.isNaN(number)) {
                return "NaN";
            }
            return Double.isInfinite(number) ? (number > 0 ? "Infinity" : "-Infinity") : PythonText.ofDouble(number);
        }
        throw TemplateException.of("an object of type " + Values.typeName(value) + " has no form in JSON");
    }

    private void list(List<?> items, int level) {
        if (items.isEmpty()) {
            out.append("[]");
            return;
        }
        budget.enter();
        out.append('[');
        for (int i = 0; i < items.size(); i++) {
            if (i > 0) {
                out.append(format.itemSeparator());
            }
            newline(level);
            write(items.get(i), level + 1);
        }
        newline(level - 1);
        out.append(']');
        budget.leave();
    }

    private void dict(Map<?, ?> map, int level) {
        if (map.isEmpty()) {
            out.append("{}");
            return;
        }
        budget.enter();
        List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
        if (format.sortKeys()) {
            entries.sort((a, b) -> Values.compare(a.getKey(), b.getKey(), budget));
        }
        out.append('{');
        for (int i = 0; i < entries.size(); i++) {
            if (i > 0) {
                out.append(format.itemSeparator());
            }
            newline(level);
            Object key = entries.get(i).getKey();
            if (key instanceof Tuple) {
                throw TemplateException.of("a tuple cannot be a key in JSON");
            }
            quote(key instanceof String text ? text : scalar(key));
            out.append(format.keySeparator());
            write(entries.get(i).getValue(), level + 1);
        }
        newline(level - 1);
        out.append('}');
        budget.leave();
    }

    private void newline(int level) {
        if (format.indent() != null) {
            budget.grow(out.length(), (long) format.indent().length() * level);
            out.append('\n').append(format.indent().repeat(level));
        }
    }

    private void quote(String text) {
        budget.grow(out.length(), text.length());
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < ' ' || (format.asciiOnly() && c > '~')) {
                        out.append(String.format(java.util.Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
