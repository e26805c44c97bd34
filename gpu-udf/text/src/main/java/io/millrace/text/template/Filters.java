package io.millrace.text.template;

import java.util.HashMap;
import java.util.Map;

/** The filters that templates can name. */
final class Filters {
    /** One filter. */
    interface Filter {
        Object apply(RenderContext context, Object value, Arguments arguments);
    }

    private static final Map<String, Filter> FILTERS = new HashMap<>();

    static {
        TextFilters.register(FILTERS);
        NumberFilters.register(FILTERS);
        SequenceFilters.register(FILTERS);
        SelectFilters.register(FILTERS);
    }

    private Filters() {}

    static boolean has(String name) {
        return FILTERS.containsKey(name);
    }

    /** Applies a filter. */
    static Object apply(RenderContext context, String name, Object value, Arguments arguments) {
        Filter filter = FILTERS.get(name);
        if (filter == null) {
            throw TemplateException.of("no filter named '" + name + "'");
        }
        return filter.apply(context, value, arguments);
    }
}
