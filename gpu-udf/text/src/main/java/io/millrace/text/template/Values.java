package io.millrace.text.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What Python says of values: their types, whether they are true, equal, in order, and what is in them. */
final class Values {
    private Values() {}

    /**
     * Takes a value of the caller's over into a template: maps, lists, strings, numbers, booleans and null, and nothing
     * else, so that no template can reach any other object of the process.
     */
    static Object take(@Nullable Object value, int depthLeft) {
        if (value == null) {
            return None.NONE;
        }
        if (depthLeft <= 0) {
            throw TemplateException.of("a variable nests too deep");
        }
        if (value instanceof String || value instanceof Boolean || value instanceof Long || value instanceof Double) {
            return value;
        }
        if (value instanceof BigInteger big) {
            return Numbers.normalize(big);
        }
        if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
            return ((Number) value).longValue();
        }
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        if (value instanceof Collection<?> collection) {
            List<Object> items = new ArrayList<>(collection.size());
            for (Object item : collection) {
                items.add(take(item, depthLeft - 1));
            }
            return items;
        }
        if (value instanceof Map<?, ?> map) {
            Map<Object, Object> items = new LinkedHashMap<>();
            map.forEach((key, item) -> items.put(key(take(key, 1)), take(item, depthLeft - 1)));
            return items;
        }
        throw TemplateException.of("a variable is of a type that templates cannot read: "
                + value.getClass().getSimpleName());
    }

    /** Returns Python's name of a value's type. */
    static String typeName(Object value) {
        if (value instanceof None) {
            return "NoneType";
        }
        if (value instanceof Boolean) {
            return "bool";
        }
        if (value instanceof Long || value instanceof BigInteger) {
            return "int";
        }
        if (value instanceof Double) {
            return "float";
        }
        if (value instanceof String) {
            return "str";
        }
        if (value instanceof Tuple) {
            return "tuple";
        }
        if (value instanceof Range) {
            return "range";
        }
        if (value instanceof List) {
            return "list";
        }
        if (value instanceof Map) {
            return "dict";
        }
        return value instanceof DictView view
                ? view.type()
                : value.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
    }

    static boolean isTrue(Object value) {
        if (value instanceof Boolean truth) {
            return truth;
        }
        if (value instanceof String text) {
            return !text.isEmpty();
        }
        if (value instanceof Long number) {
            return number != 0;
        }
        if (value instanceof Double number) {
            return number != 0;
        }
        if (value instanceof Collection<?> items) {
            return !items.isEmpty();
        }
        if (value instanceof Map<?, ?> items) {
            return !items.isEmpty();
        }
        if (value instanceof Markup markup) {
            return !markup.text().isEmpty();
        }
        return !(value instanceof None || value instanceof Undefined);
    }

    /** Returns a value as the key of a dict; what Python cannot hash, and nested tuples, cannot be one. */
    static Object key(Object value) {
        if (value instanceof Markup markup) {
            return markup.text();
        }
        if (value instanceof Tuple tuple) {
            for (Object item : tuple) {
                if (!isScalar(item)) {
                    throw TemplateException.of("a key of a dict may be a tuple of plain values only");
                }
            }
            return value;
        }
        if (!isScalar(value)) {
            throw TemplateException.of("unhashable type: '" + typeName(value) + "'");
        }
        return value;
    }

    /** Returns the key under which a dict holds a value equal to {@code key}: 1, 1.0 and true are one key. */
    static Object key(Map<?, ?> map, Object key) {
        Object plain = key(key);
        if (!Numbers.isNumber(plain) || map.containsKey(plain)) {
            return plain;
        }
        double number = Numbers.toDouble(plain);
        for (Object form : List.of(number, (long) number, number != 0)) {
            if (map.containsKey(form) && Numbers.compare(form, plain) == 0) {
                return form;
            }
        }
        return plain;
    }

    private static boolean isScalar(Object value) {
        return value instanceof String
                || Numbers.isNumber(value)
                || value instanceof None
                || value instanceof Undefined;
    }

    /** Returns whether a value can be gone over. */
    static boolean isIterable(Object value) {
        return value instanceof Collection
                || value instanceof Map
                || value instanceof String
                || value instanceof Markup
                || value instanceof Generator
                || value instanceof Undefined;
    }

    /** Returns the elements of a value: a dict's keys, a string's characters; anything that has none is an error. */
    static List<Object> elements(Object value, Budget budget) {
        List<Object> items = elementsUncharged(value);
        budget.charge(items.size());
        return items;
    }

    @SuppressWarnings("unchecked")
    private static List<Object> elementsUncharged(Object value) {
        if (value instanceof List) {
            return (List<Object>) value;
        }
        if (value instanceof DictView view) {
            return view.items();
        }
        if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        }
        if (value instanceof String text) {
            return PythonText.characters(text);
        }
        if (value instanceof Markup markup) {
            return PythonText.characters(markup.text());
        }
        if (value instanceof Generator generator) {
            List<Object> items = new ArrayList<>();
            generator.rest().forEachRemaining(items::add);
            return items;
        }
        if (value instanceof Undefined) {
            return List.of();
        }
        throw TemplateException.of("'" + typeName(value) + "' object is not iterable");
    }

    /** Returns how many elements a value has. */
    static long size(Object value) {
        if (value instanceof Collection<?> items) {
            return items.size();
        }
        if (value instanceof Map<?, ?> items) {
            return items.size();
        }
        if (value instanceof String text) {
            return text.codePointCount(0, text.length());
        }
        if (value instanceof Markup markup) {
            return markup.text().codePointCount(0, markup.text().length());
        }
        if (value instanceof Undefined) {
            return 0;
        }
        throw TemplateException.of("object of type '" + typeName(value) + "' has no len()");
    }

    static boolean equal(Object left, Object right, Budget budget) {
        if (left == right && !(left instanceof Double)) {
            return true;
        }
        if (left instanceof Markup markup) {
            return equal(markup.text(), right, budget);
        }
        if (right instanceof Markup markup) {
            return equal(left, markup.text(), budget);
        }
        if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
            return !isNan(left) && !isNan(right) && Numbers.compare(left, right) == 0;
        }
        if (left instanceof String || left instanceof None) {
            return left.equals(right);
        }
        if (left instanceof Undefined) {
            return right instanceof Undefined;
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            return left instanceof Tuple == right instanceof Tuple
                    && left instanceof Range == right instanceof Range
                    && sameItems(a, b, budget);
        }
        if (left instanceof Map<?, ?> a && right instanceof Map<?, ?> b) {
            return sameEntries(a, b, budget);
        }
        return left == right;
    }

    private static boolean isNan(Object value) {
        return value instanceof Double number && Double.isNaN(number);
    }

    private static boolean sameItems(List<?> left, List<?> right, Budget budget) {
        if (left.size() != right.size()) {
            return false;
        }
        budget.enter();
        boolean same = true;
        for (int i = 0; same && i < left.size(); i++) {
            budget.charge(1);
            same = equal(left.get(i), right.get(i), budget);
        }
        budget.leave();
        return same;
    }

    private static boolean sameEntries(Map<?, ?> left, Map<?, ?> right, Budget budget) {
        if (left.size() != right.size()) {
            return false;
        }
        budget.enter();
        boolean same = true;
        for (Map.Entry<?, ?> entry : left.entrySet()) {
            budget.charge(1);
            Object other = right.get(entry.getKey());
            same = same && other != null && equal(entry.getValue(), other, budget);
        }
        budget.leave();
        return same;
    }

    /** Returns the order of two values, as {@link java.util.Comparator} does; values without one are an error. */
    static int compare(Object left, Object right, Budget budget) {
        budget.charge(1);
        if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
            return Numbers.compare(left, right);
        }
        String a = plain(left);
        String b = plain(right);
        if (a != null && b != null) {
            return PythonText.compare(a, b);
        }
        if (left instanceof List<?> x
                && right instanceof List<?> y
                && !(left instanceof Range)
                && typeName(left).equals(typeName(right))) {
            return compareItems(x, y, budget);
        }
        if (left instanceof Undefined undefined) {
            throw undefined.error();
        }
        throw TemplateException.of("'" + typeName(left) + "' and '" + typeName(right) + "' have no order between them");
    }

    private static @Nullable String plain(Object value) {
        if (value instanceof Markup markup) {
            return markup.text();
        }
        return value instanceof String text ? text : null;
    }

    private static int compareItems(List<?> left, List<?> right, Budget budget) {
        budget.enter();
        Iterator<?> others = right.iterator();
        int order = 0;
        for (Iterator<?> items = left.iterator(); order == 0 && items.hasNext() && others.hasNext(); ) {
            Object a = items.next();
            Object b = others.next();
            if (!equal(a, b, budget)) {
                order = compare(a, b, budget);
            }
        }
        budget.leave();
        return order != 0 ? order : Integer.compare(left.size(), right.size());
    }

    /** Returns whether {@code item in container}. */
    static boolean contains(Object container, Object item, Budget budget) {
        String text = plain(container);
        if (text != null) {
            String part = plain(item);
            if (part == null) {
                throw TemplateException.of("'in <string>' wants a string on its left, not " + typeName(item));
            }
            budget.chars(text.length());
            return text.contains(part);
        }
        if (container instanceof Map<?, ?> map) {
            return map.containsKey(key(map, item));
        }
        if (!isIterable(container)) {
            throw TemplateException.of("argument of type '" + typeName(container) + "' is not iterable");
        }
        for (Object element : elements(container, budget)) {
            if (equal(element, item, budget)) {
                return true;
            }
        }
        return false;
    }
}
