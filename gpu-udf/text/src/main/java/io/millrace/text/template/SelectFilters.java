package io.millrace.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Filters that apply another filter or a test to each element. */
final class SelectFilters {
    private SelectFilters() {}

    static void register(Map<String, Filters.Filter> filters) {
        filters.put("map", SelectFilters::map);
        filters.put("select", (context, value, arguments) -> select(context, value, arguments, true, false));
        filters.put("reject", (context, value, arguments) -> select(context, value, arguments, false, false));
        filters.put("selectattr", (context, value, arguments) -> select(context, value, arguments, true, true));
        filters.put("rejectattr", (context, value, arguments) -> select(context, value, arguments, false, true));
    }

    private static Object map(RenderContext context, Object value, Arguments arguments) {
        List<Object> result = new ArrayList<>();
        if (!Values.isTrue(value)) {
            return new Generator(result);
        }
        if (arguments.positional().isEmpty() && arguments.named().containsKey("attribute")) {
            Arguments.Bound bound = new Arguments(List.of(), arguments.named()).bind("map", 0, "attribute", "default");
            for (Object item : Values.elements(value, context.budget())) {
                Object found = SequenceFilters.attribute(item, bound.get(0));
                result.add(found instanceof Undefined && bound.has(1) ? bound.get(1) : found);
            }
            return new Generator(result);
        }
        if (arguments.positional().isEmpty()) {
            throw TemplateException.of("map requires a filter argument");
        }
        String name = context.str(arguments.positional().get(0));
        Arguments rest = arguments.from(1);
        for (Object item : Values.elements(value, context.budget())) {
            result.add(context.nested(inner -> Filters.apply(inner, name, item, rest)));
        }
        return new Generator(result);
    }

    private static Object select(
            RenderContext context, Object value, Arguments arguments, boolean kept, boolean byAttribute) {
        if (!Values.isTrue(value)) {
            return new Generator(List.of());
        }
        int first = byAttribute ? 1 : 0;
        List<Object> given = arguments.positional();
        if (given.size() < first) {
            throw TemplateException.of("missing parameter for attribute name");
        }
        boolean byTest = given.size() > first;
        Arguments rest = arguments.from(first + 1);
        List<Object> result = new ArrayList<>();
        for (Object item : Values.elements(value, context.budget())) {
            Object subject = byAttribute ? SequenceFilters.attribute(item, given.get(0)) : item;
            boolean holds =
                    byTest ? Tests.test(context, context.str(given.get(first)), subject, rest) : Values.isTrue(subject);
            if (holds == kept) {
                result.add(item);
            }
        }
        return new Generator(result);
    }
}
