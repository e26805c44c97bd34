package io.millrace.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The values a call was given.
 *
 * @param positional those without a name
 * @param named those with one
 */
record Arguments(List<Object> positional, Map<String, Object> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    static Arguments of(Object... positional) {
        return new Arguments(List.of(positional), Map.of());
    }

    /** Returns these arguments without the first {@code count} positional ones. */
    Arguments from(int count) {
        return new Arguments(positional.subList(Math.min(count, positional.size()), positional.size()), named);
    }

    /**
     * Matches the values with parameters.
     *
     * @param function the name to blame in errors
     * @param required how many of the parameters must be given
     */
    Bound bind(String function, int required, String... parameters) {
        if (positional.size() > parameters.length) {
            throw TemplateException.of(
                    function + "() takes at most " + parameters.length + " arguments, got " + positional.size());
        }
        List<@Nullable Object> values = new ArrayList<>(positional);
        int used = 0;
        for (int i = positional.size(); i < parameters.length; i++) {
            Object value = named.get(parameters[i]);
            if (value != null) {
                used++;
            } else if (i < required) {
                throw TemplateException.of(function + "() lacks the argument '" + parameters[i] + "'");
            }
            values.add(value);
        }
        if (used != named.size()) {
            throw TemplateException.of(function + "() got an unknown or repeated argument among " + named.keySet());
        }
        return new Bound(function, values);
    }

    /** Arguments in the order of a function's parameters; null where one was not given. */
    record Bound(String function, List<@Nullable Object> values) {
        boolean has(int index) {
            return values.get(index) != null;
        }

        Object get(int index, Object otherwise) {
            Object value = values.get(index);
            return value == null ? otherwise : value;
        }

        /** Returns a required argument. */
        Object get(int index) {
            return get(index, None.NONE);
        }

        /** Returns an argument that must be a string. */
        String text(int index, String otherwise) {
            Object value = get(index, otherwise);
            if (value instanceof String text) {
                return text;
            }
            if (value instanceof Markup markup) {
                return markup.text();
            }
            throw TemplateException.of(function + "() wants a string, got " + Values.typeName(value));
        }

        /** Returns an argument that must be a whole number, held to the range of an int. */
        int integer(int index, int otherwise) {
            return Numbers.toInt(get(index, (long) otherwise), function + "()");
        }

        boolean flag(int index, boolean otherwise) {
            return Values.isTrue(get(index, otherwise));
        }
    }
}
