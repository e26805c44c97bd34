package io.millrace.text.template;

import java.time.ZonedDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What every chat template can call. */
final class Globals {
    static final Map<String, Object> ALL = Map.of(
            "range", (Invocable) (context, arguments) -> range(arguments),
            "namespace", (Invocable) Globals::namespace,
            "dict", (Invocable) Globals::dict,
            "cycler", (Invocable) (context, arguments) -> new Joiners.Cycler(arguments.positional()),
            "joiner",
                    (Invocable) (context, arguments) -> new Joiners.Joiner(
                            arguments.bind("joiner", 0, "sep").get(0, ", ")),
            "raise_exception",
                    (Invocable) (context, arguments) -> {
                        throw TemplateException.raised(context.str(
                                arguments.bind("raise_exception", 1, "message").get(0)));
                    },
            "strftime_now",
                    (Invocable) (context, arguments) -> TimeText.format(
                            arguments.bind("strftime_now", 1, "format").text(0, ""),
                            ZonedDateTime.now(context.clock())));

    private Globals() {}

    private static Object range(Arguments arguments) {
        List<Object> bounds = arguments.positional();
        if (bounds.isEmpty() || bounds.size() > 3 || !arguments.named().isEmpty()) {
            throw TemplateException.of("range() takes one to three numbers");
        }
        long first = Numbers.toInt(bounds.get(0), "range()");
        if (bounds.size() == 1) {
            return new Range(0, first, 1);
        }
        long step = bounds.size() == 3 ? Numbers.toInt(bounds.get(2), "range()") : 1;
        return new Range(first, Numbers.toInt(bounds.get(1), "range()"), step);
    }

    private static Object namespace(RenderContext context, Arguments arguments) {
        Namespace namespace = new Namespace();
        dict(context, arguments).forEach((name, value) -> namespace.set(context.str(name), value));
        return namespace;
    }

    private static Map<Object, Object> dict(RenderContext context, Arguments arguments) {
        Map<Object, Object> map = new LinkedHashMap<>();
        if (arguments.positional().size() > 1) {
            throw TemplateException.of("dict expected at most 1 argument");
        }
        for (Object source : arguments.positional()) {
            if (source instanceof Map<?, ?> entries) {
                context.budget().charge(entries.size());
                map.putAll(entries);
                continue;
            }
            for (Object pair : Values.elements(source, context.budget())) {
                List<Object> halves = Values.elements(pair, context.budget());
                if (halves.size() != 2) {
                    throw TemplateException.of("dict() wants pairs");
                }
                map.put(Values.key(map, halves.get(0)), halves.get(1));
            }
        }
        map.putAll(arguments.named());
        return map;
    }
}
