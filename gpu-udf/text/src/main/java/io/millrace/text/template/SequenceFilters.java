package io.millrace.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Filters that order, cut and combine sequences. */
final class SequenceFilters {
    private SequenceFilters() {}

    static void register(Map<String, Filters.Filter> filters) {
        filters.put("first", (context, value, arguments) -> {
            arguments.bind("first", 0);
            if (value instanceof Generator generator && generator.rest().hasNext()) {
                return generator.rest().next();
            }
            List<Object> items = Values.elements(value, context.budget());
            return items.isEmpty() ? new Undefined("no first item, sequence was empty") : items.get(0);
        });
        filters.put("last", (context, value, arguments) -> {
            arguments.bind("last", 0);
            if (value instanceof Generator) {
                throw TemplateException.of("'generator' object is not reversible");
            }
            List<Object> items = Values.elements(value, context.budget());
            return items.isEmpty() ? new Undefined("no last item, sequence was empty") : items.get(items.size() - 1);
        });
        filters.put("list", (context, value, arguments) -> {
            arguments.bind("list", 0);
            return new ArrayList<>(Values.elements(value, context.budget()));
        });
        filters.put("reverse", SequenceFilters::reverse);
        filters.put("sort", SequenceFilters::sort);
        filters.put("unique", SequenceFilters::unique);
        filters.put("min", (context, value, arguments) -> extreme("min", -1, context, value, arguments));
        filters.put("max", (context, value, arguments) -> extreme("max", 1, context, value, arguments));
        filters.put("items", SequenceFilters::items);
        filters.put("dictsort", SequenceFilters::dictSort);
        filters.put("batch", SequenceFilters::batch);
        filters.put("slice", SequenceFilters::slice);
        filters.put("groupby", SequenceFilters::groupBy);
        filters.put("attr", (context, value, arguments) -> {
            String name = arguments.bind("attr", 1, "name").text(0, "");
            // The filter reads attributes only, never items.
            return value instanceof Map ? Undefined.attribute(value, name) : Attributes.attribute(value, name);
        });
        for (String name : List.of("default", "d")) {
            filters.put(name, (context, value, arguments) -> {
                Arguments.Bound bound = arguments.bind(name, 0, "default_value", "boolean");
                boolean missing = value instanceof Undefined || (bound.flag(1, false) && !Values.isTrue(value));
                return missing ? bound.get(0, "") : value;
            });
        }
    }

    /** Returns what {@code attribute} names of an item: keys and indexes with dots between them. */
    static Object attribute(Object item, Object attribute) {
        if (Numbers.isInteger(attribute)) {
            return Attributes.item(item, attribute);
        }
        Object value = item;
        for (String part : attribute.toString().split("\\.", -1)) {
            boolean index = !part.isEmpty() && part.chars().allMatch(c -> c >= '0' && c <= '9');
            value = Attributes.item(value, index ? Numbers.parseInteger(part) : part);
        }
        return value;
    }

    /** Returns a value's elements, or that attribute of each if one is named. */
    static List<Object> elements(RenderContext context, Object value, Object attribute) {
        List<Object> items = Values.elements(value, context.budget());
        if (attribute instanceof None) {
            return items;
        }
        List<Object> attributes = new ArrayList<>(items.size());
        items.forEach(item -> attributes.add(attribute(item, attribute)));
        return attributes;
    }

    private static UnaryOperator<Object> key(Object attribute, boolean caseSensitive) {
        return item -> {
            Object key = attribute instanceof None ? item : attribute(item, attribute);
            return !caseSensitive && key instanceof String text ? text.toLowerCase(Locale.ROOT) : key;
        };
    }

    private static Object reverse(RenderContext context, Object value, Arguments arguments) {
        arguments.bind("reverse", 0);
        if (value instanceof String text) {
            return new StringBuilder(text).reverse().toString();
        }
        List<Object> items = new ArrayList<>(Values.elements(value, context.budget()));
        Collections.reverse(items);
        return value instanceof Generator ? items : new Generator(items);
    }

    private static Object sort(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("sort", 0, "reverse", "case_sensitive", "attribute");
        boolean caseSensitive = bound.flag(1, false);
        Object attribute = bound.get(2, None.NONE);
        UnaryOperator<Object> key = key(attribute, caseSensitive);
        if (attribute instanceof String names && names.indexOf(',') >= 0) {
            key = item -> {
                List<Object> keys = new ArrayList<>();
                for (String name : names.split(",", -1)) {
                    keys.add(key(name, caseSensitive).apply(item));
                }
                return keys;
            };
        }
        return sorted(Values.elements(value, context.budget()), key, bound.flag(0, false), context.budget());
    }

    /** Sorts stably; in reverse too, items with equal keys stay in their order. */
    private static List<Object> sorted(List<Object> items, UnaryOperator<Object> key, boolean reverse, Budget budget) {
        record Keyed(Object key, Object item) {}
        List<Keyed> keyed = new ArrayList<>(items.size());
        for (Object item : items) {
            keyed.add(new Keyed(key.apply(item), item));
        }
        Comparator<Keyed> order = (a, b) -> Values.compare(a.key(), b.key(), budget);
        keyed.sort(reverse ? (a, b) -> order.compare(b, a) : order);
        List<Object> result = new ArrayList<>(items.size());
        keyed.forEach(entry -> result.add(entry.item()));
        return result;
    }

    private static Object unique(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("unique", 0, "case_sensitive", "attribute");
        UnaryOperator<Object> key = key(bound.get(1, None.NONE), bound.flag(0, false));
        Set<Object> seen = new HashSet<>();
        List<Object> items = new ArrayList<>();
        for (Object item : Values.elements(value, context.budget())) {
            if (seen.add(comparable(Values.key(key.apply(item))))) {
                items.add(item);
            }
        }
        return new Generator(items);
    }

    /** Returns one value for all that Python holds equal: 1, 1.0 and true. */
    private static Object comparable(Object key) {
        if (key instanceof Boolean) {
            return Numbers.normalize(Numbers.toBig(key));
        }
        return key instanceof Double number && number % 1 == 0 ? Numbers.truncate(number) : key;
    }

    private static Object extreme(String name, int sign, RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind(name, 0, "case_sensitive", "attribute");
        UnaryOperator<Object> key = key(bound.get(1, None.NONE), bound.flag(0, false));
        List<Object> items = Values.elements(value, context.budget());
        if (items.isEmpty()) {
            return new Undefined("no aggregated item, sequence was empty");
        }
        Object best = items.get(0);
        for (Object item : items.subList(1, items.size())) {
            if (Values.compare(key.apply(item), key.apply(best), context.budget()) * sign > 0) {
                best = item;
            }
        }
        return best;
    }

    private static Object items(RenderContext context, Object value, Arguments arguments) {
        arguments.bind("items", 0);
        if (value instanceof Undefined) {
            return new Generator(List.of());
        }
        if (!(value instanceof Map<?, ?> map)) {
            throw TemplateException.of("can only get item pairs from a mapping");
        }
        context.budget().charge(map.size());
        return new Generator(CollectionMethods.items(map));
    }

    private static Object dictSort(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("dictsort", 0, "case_sensitive", "by", "reverse");
        if (!(value instanceof Map<?, ?> map)) {
            throw TemplateException.of("dictsort wants a dict, got " + Values.typeName(value));
        }
        String by = bound.text(1, "key");
        if (!by.equals("key") && !by.equals("value")) {
            throw TemplateException.of("dictsort sorts by 'key' or 'value'");
        }
        UnaryOperator<Object> key = key(by.equals("key") ? 0L : 1L, bound.flag(0, false));
        return sorted(CollectionMethods.items(map), key, bound.flag(2, false), context.budget());
    }

    private static Object batch(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("batch", 1, "linecount", "fill_with");
        int size = bound.integer(0, 1);
        List<Object> batches = new ArrayList<>();
        List<Object> batch = new ArrayList<>();
        for (Object item : Values.elements(value, context.budget())) {
            if (batch.size() == size) {
                batches.add(batch);
                batch = new ArrayList<>();
            }
            batch.add(item);
        }
        if (!batch.isEmpty()) {
            if (!(bound.get(1) instanceof None)) {
                context.budget().charge(Math.max(0, size - batch.size()));
                while (batch.size() < size) {
                    batch.add(bound.get(1));
                }
            }
            batches.add(batch);
        }
        return new Generator(batches);
    }

    private static Object slice(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("slice", 1, "slices", "fill_with");
        int slices = bound.integer(0, 1);
        List<Object> items = Values.elements(value, context.budget());
        if (slices <= 0) {
            throw TemplateException.of("slice() wants a positive number of slices");
        }
        context.budget().charge(slices);
        int each = items.size() / slices;
        int longer = items.size() % slices;
        List<Object> result = new ArrayList<>();
        int position = 0;
        for (int i = 0; i < slices; i++) {
            int size = each + (i < longer ? 1 : 0);
            List<Object> slice = new ArrayList<>(items.subList(position, position + size));
            if (!(bound.get(1) instanceof None) && i >= longer) {
                slice.add(bound.get(1));
            }
            result.add(slice);
            position += size;
        }
        return new Generator(result);
    }

    private static Object groupBy(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("groupby", 1, "attribute", "default", "case_sensitive");
        boolean caseSensitive = bound.flag(2, false);
        UnaryOperator<Object> plain = item -> {
            Object key = attribute(item, bound.get(0));
            return key instanceof Undefined && bound.has(1) ? bound.get(1) : key;
        };
        UnaryOperator<Object> key = item -> {
            Object found = plain.apply(item);
            return !caseSensitive && found instanceof String text ? text.toLowerCase(Locale.ROOT) : found;
        };
        List<Object> items = sorted(Values.elements(value, context.budget()), key, false, context.budget());
        List<Object> groups = new ArrayList<>();
        int begin = 0;
        for (int i = 1; i <= items.size(); i++) {
            boolean ends = i == items.size()
                    || !Values.equal(key.apply(items.get(begin)), key.apply(items.get(i)), context.budget());
            if (ends) {
                groups.add(new GroupTuple(plain.apply(items.get(begin)), new ArrayList<>(items.subList(begin, i))));
                begin = i;
            }
        }
        return groups;
    }
}
