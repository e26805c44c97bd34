package io.millrace.text.template;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.IntPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Filters that give text. */
final class TextFilters {
    private static final Pattern WORD_BEGIN = Pattern.compile("[-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);

    /** Filters that give marked-up text for marked-up text. */
    private static final Set<String> KEEP_MARKUP = Set.of("upper", "lower", "capitalize", "string");

    private TextFilters() {}

    static void register(Map<String, Filters.Filter> filters) {
        plain(filters, "upper", (text, context) -> text.toUpperCase(Locale.ROOT));
        plain(filters, "lower", (text, context) -> text.toLowerCase(Locale.ROOT));
        plain(filters, "capitalize", (text, context) -> StringMethods.capitalize(text));
        plain(filters, "title", (text, context) -> title(text));
        plain(filters, "string", (text, context) -> text);
        plain(
                filters,
                "wordcount",
                (text, context) -> WORD.matcher(text).results().count());
        plain(filters, "urlencode", (text, context) -> urlEncode(text));
        filters.put("trim", TextFilters::trim);
        filters.put("replace", TextFilters::replace);
        filters.put("indent", TextFilters::indent);
        filters.put("center", TextFilters::center);
        filters.put("truncate", TextFilters::truncate);
        filters.put("format", TextFilters::format);
        filters.put("tojson", TextFilters::toJson);
        filters.put("join", TextFilters::join);
        filters.put("safe", (context, value, arguments) -> {
            arguments.bind("safe", 0);
            return new Markup(context.str(value));
        });
        for (String name : List.of("e", "escape", "forceescape")) {
            filters.put(name, (context, value, arguments) -> {
                arguments.bind(name, 0);
                boolean escaped = value instanceof Markup && !name.equals("forceescape");
                return escaped ? value : new Markup(Markup.escape(context.str(value)));
            });
        }
    }

    private static void plain(
            Map<String, Filters.Filter> filters, String name, BiFunction<String, RenderContext, Object> filter) {
        filters.put(name, (context, value, arguments) -> {
            arguments.bind(name, 0);
            String text = context.str(value);
            context.budget().chars(text.length());
            Object result = filter.apply(text, context);
            boolean marked = value instanceof Markup && KEEP_MARKUP.contains(name) && result instanceof String;
            return marked ? new Markup((String) result) : result;
        });
    }

    private static String title(String text) {
        StringBuilder out = new StringBuilder();
        Matcher begins = WORD_BEGIN.matcher(text);
        int position = 0;
        while (begins.find()) {
            word(text.substring(position, begins.start()), out);
            word(begins.group(), out);
            position = begins.end();
        }
        word(text.substring(position), out);
        return out.toString();
    }

    private static void word(String word, StringBuilder out) {
        if (!word.isEmpty()) {
            int first = word.offsetByCodePoints(0, 1);
            out.append(word.substring(0, first).toUpperCase(Locale.ROOT));
            out.append(word.substring(first).toLowerCase(Locale.ROOT));
        }
    }

    private static String urlEncode(String text) {
        StringBuilder out = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain = c < 128 && (Character.isLetterOrDigit(c) || "_.-~/".indexOf(c) >= 0);
            out.append(plain ? String.valueOf(c) : String.format(Locale.ROOT, "%%%02X", (int) c));
        }
        return out.toString();
    }

    private static Object trim(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("trim", 0, "chars");
        IntPredicate stripped = PythonText::isSpace;
        if (!(bound.get(0, None.NONE) instanceof None)) {
            String characters = bound.text(0, "");
            stripped = c -> characters.indexOf(c) >= 0;
        }
        String text = StringMethods.strip(context.str(value), stripped, true, true);
        context.budget().chars(text.length());
        return value instanceof Markup ? new Markup(text) : text;
    }

    private static Object replace(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("replace", 2, "old", "new", "count");
        int count = bound.get(2, None.NONE) instanceof None ? -1 : bound.integer(2, -1);
        String old = context.str(bound.get(0));
        return StringMethods.replace(context.str(value), old, context.str(bound.get(1)), count, context.budget());
    }

    private static Object indent(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("indent", 0, "width", "first", "blank");
        if (!(value instanceof String) && !(value instanceof Markup)) {
            throw TemplateException.of("indent wants a string, got " + Values.typeName(value));
        }
        Object width = bound.get(0, 4L);
        String indentation;
        if (width instanceof String text) {
            indentation = text;
        } else {
            int spaces = Math.max(0, Numbers.toInt(width, "indent()"));
            context.budget().chars(spaces);
            indentation = " ".repeat(spaces);
        }
        // The reference appends a newline first, so that a last empty line is a line as well.
        String text = context.str(value) + "\n";
        List<Object> lines = StringSplits.lines(text, Arguments.NONE);
        context.budget().chars(text.length() + (long) lines.size() * indentation.length());
        boolean first = bound.flag(1, false);
        boolean blank = bound.flag(2, false);
        if (blank && text.length() == 1) {
            lines = List.of("");
        }
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < lines.size(); i++) {
            String line = (String) lines.get(i);
            if (i > 0) {
                out.append('\n');
            }
            if (i == 0 ? first : blank || !line.isEmpty()) {
                out.append(indentation);
            }
            out.append(line);
        }
        return out.toString();
    }

    private static Object center(RenderContext context, Object value, Arguments arguments) {
        long width = arguments.bind("center", 0, "width").integer(0, 80);
        Object method = StringMethods.method(context.str(value), "center");
        return context.call(method == null ? None.NONE : method, Arguments.of(width));
    }

    private static Object truncate(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("truncate", 0, "length", "killwords", "end", "leeway");
        int length = bound.integer(0, 255);
        String end = bound.text(2, "...");
        int leeway = bound.get(3, None.NONE) instanceof None ? 5 : bound.integer(3, 5);
        if (length < end.length() || leeway < 0) {
            throw TemplateException.of(
                    "truncate() wants a length of at least " + end.length() + " and no negative leeway");
        }
        if (Values.size(value) <= (long) length + leeway) {
            return value;
        }
        String text = context.str(value);
        String head = text.substring(0, text.offsetByCodePoints(0, length - end.length()));
        int space = head.lastIndexOf(' ');
        boolean cutsWords = bound.flag(1, false) || space < 0;
        return (cutsWords ? head : head.substring(0, space)) + end;
    }

    private static Object format(RenderContext context, Object value, Arguments arguments) {
        if (!arguments.positional().isEmpty() && !arguments.named().isEmpty()) {
            throw TemplateException.of("format() takes positional or named arguments, not both");
        }
        Object values = arguments.named().isEmpty() ? new Tuple(arguments.positional()) : arguments.named();
        return PythonFormat.percent(context.str(value), values, context.budget());
    }

    private static Object toJson(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
        Object indent = bound.get(1, None.NONE);
        String indentation = null;
        if (indent instanceof String text) {
            indentation = text;
        } else if (!(indent instanceof None)) {
            indentation = " ".repeat(Math.max(0, Math.min(1000, Numbers.toInt(indent, "tojson()"))));
        }
        String itemSeparator = indentation == null ? ", " : ",";
        String keySeparator = ": ";
        if (!(bound.get(2, None.NONE) instanceof None)) {
            List<Object> separators = Values.elements(bound.get(2), context.budget());
            if (separators.size() != 2) {
                throw TemplateException.of("tojson() wants two separators");
            }
            itemSeparator = context.str(separators.get(0));
            keySeparator = context.str(separators.get(1));
        }
        JsonText.Format format = new JsonText.Format(
                bound.flag(0, false), indentation, itemSeparator, keySeparator, bound.flag(3, false));
        return JsonText.of(value, format, context.budget());
    }

    private static Object join(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("join", 0, "d", "attribute");
        List<String> parts = new ArrayList<>();
        for (Object item : SequenceFilters.elements(context, value, bound.get(1, None.NONE))) {
            parts.add(context.str(item));
        }
        return StringMethods.join(context.str(bound.get(0, "")), parts, context.budget());
    }
}
