package io.millrace.text.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The methods of Python's lists, tuples and dicts that change nothing: those are all that the sandbox lets through. */
final class CollectionMethods {
    private CollectionMethods() {}

    /** Returns a dict's method, or null where dicts have none of that name. */
    static @Nullable Object ofDict(Map<?, ?> map, String name) {
        return switch (name) {
            case "items" ->
                counted(map, (context, arguments) -> {
                    arguments.bind(name, 0);
                    return new DictView("dict_items", items(map));
                });
            case "keys" ->
                counted(map, (context, arguments) -> {
                    arguments.bind(name, 0);
                    return new DictView("dict_keys", new ArrayList<>(map.keySet()));
                });
            case "values" ->
                counted(map, (context, arguments) -> {
                    arguments.bind(name, 0);
                    return new DictView("dict_values", new ArrayList<>(map.values()));
                });
            case "copy" ->
                counted(map, (context, arguments) -> {
                    arguments.bind(name, 0);
                    return new LinkedHashMap<Object, Object>(map);
                });
            case "get" ->
                (Invocable) (context, arguments) -> {
                    Arguments.Bound bound = arguments.bind(name, 1, "key", "default");
                    Object value = map.get(Values.key(map, bound.get(0)));
                    return value == null ? bound.get(1) : value;
                };
            case "clear", "pop", "popitem", "setdefault", "update" -> unsafe(map, name);
            default -> null;
        };
    }

    /** Returns the entries of a dict as pairs. */
    static List<Object> items(Map<?, ?> map) {
        List<Object> items = new ArrayList<>(map.size());
        map.forEach((key, value) -> items.add(Tuple.of(key, value)));
        return items;
    }

    private static Invocable counted(Map<?, ?> map, Invocable method) {
        return (context, arguments) -> {
            context.budget().charge(map.size());
            return method.invoke(context, arguments);
        };
    }

    /** Returns the method of a list, tuple or range, or null where it has none of that name. */
    static @Nullable Object ofList(List<?> list, String name) {
        boolean isList = !(list instanceof Tuple) && !(list instanceof Range) && !(list instanceof GroupTuple);
        return switch (name) {
            case "count" ->
                (Invocable) (context, arguments) -> {
                    Object wanted = arguments.bind(name, 1, "value").get(0);
                    long count = 0;
                    for (Object item : list) {
                        context.budget().charge(1);
                        count += Values.equal(item, wanted, context.budget()) ? 1 : 0;
                    }
                    return count;
                };
            case "index" ->
                (Invocable) (context, arguments) -> {
                    Object wanted = arguments.bind(name, 1, "value").get(0);
                    for (int i = 0; i < list.size(); i++) {
                        context.budget().charge(1);
                        if (Values.equal(list.get(i), wanted, context.budget())) {
                            return (long) i;
                        }
                    }
                    throw TemplateException.of("the value is not in the list");
                };
            case "copy" ->
                isList
                        ? (Invocable) (context, arguments) -> {
                            context.budget().charge(list.size());
                            return new ArrayList<Object>(list);
                        }
                        : null;
            case "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort" ->
                isList ? unsafe(list, name) : null;
            default -> null;
        };
    }

    private static Undefined unsafe(Object target, String name) {
        return new Undefined(
                "access to attribute '" + name + "' of '" + Values.typeName(target) + "' object is unsafe");
    }
}
