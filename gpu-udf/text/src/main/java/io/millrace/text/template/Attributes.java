package io.millrace.text.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads attributes, items and slices of values. What is not there is an {@link Undefined}. */
final class Attributes {
    private Attributes() {}

    /** Returns {@code target.name}: a method or attribute first, then the item of that key. */
    static Object attribute(Object target, String name) {
        Object found = own(target, name);
        if (found == null && target instanceof Map<?, ?> map) {
            found = map.get(name);
        }
        return found == null ? Undefined.attribute(target, name) : found;
    }

    /** Returns {@code target[key]}: the item first, then the attribute of that name. */
    static Object item(Object target, Object key) {
        if (target instanceof Undefined undefined) {
            throw undefined.error();
        }
        Object found = null;
        if (target instanceof Map<?, ?> map) {
            found = isKey(key) ? map.get(Values.key(map, key)) : null;
        } else if (target instanceof List<?> list) {
            found = Numbers.isInteger(key) ? at(list, key) : null;
        } else if (target instanceof String text) {
            found = Numbers.isInteger(key) ? character(text, key) : null;
        } else if (target instanceof Markup markup) {
            found = Numbers.isInteger(key) ? character(markup.text(), key) : null;
        }
        if (found == null && key instanceof String name) {
            found = own(target, name);
        }
        return found == null ? Undefined.attribute(target, key) : found;
    }

    private static boolean isKey(Object key) {
        return key instanceof String
                || key instanceof Markup
                || Numbers.isNumber(key)
                || key instanceof Tuple
                || key instanceof None;
    }

    private static @Nullable Object at(List<?> list, Object key) {
        int index = index(key, list.size());
        return index < 0 ? null : list.get(index);
    }

    private static @Nullable Object character(String text, Object key) {
        int index = index(key, text.codePointCount(0, text.length()));
        if (index < 0) {
            return null;
        }
        return Character.toString(text.codePointAt(text.offsetByCodePoints(0, index)));
    }

    /** Returns an index that may count from the end as one from the start, or -1 where it is out of range. */
    private static int index(Object key, int size) {
        BigInteger index = Numbers.toBig(key);
        if (index.bitLength() > 31) {
            return -1;
        }
        int value = index.intValue();
        int fromStart = value < 0 ? value + size : value;
        return fromStart >= 0 && fromStart < size ? fromStart : -1;
    }

    /** Returns what a value itself has under a name, or null. */
    private static @Nullable Object own(Object target, String name) {
        if (target instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (target instanceof String text) {
            return StringMethods.method(text, name);
        }
        if (target instanceof Markup markup) {
            return StringMethods.method(markup, name);
        }
        if (target instanceof Map<?, ?> map) {
            return CollectionMethods.ofDict(map, name);
        }
        if (target instanceof List<?> list) {
            return list instanceof GroupTuple group && group.attribute(name) != null
                    ? group.attribute(name)
                    : CollectionMethods.ofList(list, name);
        }
        if (target instanceof Namespace namespace) {
            return namespace.get(name);
        }
        if (target instanceof LoopContext loop) {
            return loop.attribute(name);
        }
        if (target instanceof Joiners.Cycler cycler) {
            return cycler.attribute(name);
        }
        return target instanceof Macro macro ? macro.attribute(name) : null;
    }

    /** Returns {@code target[start:stop:step]}; absent bounds are {@link None}. */
    static Object slice(Object target, Object start, Object stop, Object step, Budget budget) {
        if (target instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (target instanceof String text) {
            return sliceText(text, start, stop, step, budget);
        }
        if (target instanceof Markup markup) {
            return sliceText(markup.text(), start, stop, step, budget);
        }
        if (!(target instanceof List<?> list)) {
            throw TemplateException.of("'" + Values.typeName(target) + "' object cannot be sliced");
        }
        List<Object> items = new ArrayList<>();
        Bounds bounds = Bounds.of(start, stop, step, list.size());
        budget.charge(bounds.count());
        for (int i = 0; i < bounds.count(); i++) {
            items.add(list.get(bounds.at(i)));
        }
        return target instanceof Tuple || target instanceof Range ? new Tuple(items) : items;
    }

    private static String sliceText(String text, Object start, Object stop, Object step, Budget budget) {
        int size = text.codePointCount(0, text.length());
        Bounds bounds = Bounds.of(start, stop, step, size);
        budget.chars(text.length());
        if (bounds.step() == 1) {
            int from = text.offsetByCodePoints(0, bounds.count() == 0 ? 0 : bounds.start());
            return text.substring(from, text.offsetByCodePoints(from, bounds.count()));
        }
        int[] codePoints = text.codePoints().toArray();
        StringBuilder out = new StringBuilder(bounds.count());
        for (int i = 0; i < bounds.count(); i++) {
            out.appendCodePoint(codePoints[bounds.at(i)]);
        }
        return out.toString();
    }

    /** A slice's elements: {@code count} of them from {@code start} on, {@code step} apart. */
    private record Bounds(int start, int step, int count) {
        static Bounds of(Object start, Object stop, Object step, int size) {
            int by = step instanceof None ? 1 : Numbers.toInt(step, "a slice's step");
            if (by == 0) {
                throw TemplateException.of("slice step cannot be zero");
            }
            int from = bound(start, size, by, by > 0 ? 0 : size - 1);
            int to = bound(stop, size, by, by > 0 ? size : -1);
            long span = by > 0 ? (long) to - from + by - 1 : (long) to - from + by + 1;
            return new Bounds(from, by, (int) Math.max(0, span / by));
        }

        private static int bound(Object bound, int size, int step, int otherwise) {
            if (bound instanceof None) {
                return otherwise;
            }
            int value = Numbers.toInt(bound, "a slice's bound");
            int least = step > 0 ? 0 : -1;
            int most = step > 0 ? size : size - 1;
            long fromStart = value < 0 ? (long) value + size : value;
            return (int) Math.max(least, Math.min(most, fromStart));
        }

        int at(int index) {
            return start + index * step;
        }
    }
}
