package io.millrace.text.template;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** The methods of Python's strings. */
final class StringMethods {
    private interface Method {
        Object apply(String text, Arguments arguments, RenderContext context);
    }

    private static final Map<String, Method> METHODS = new HashMap<>();

    static {
        METHODS.put("strip", (text, a, c) -> strip(text, a, true, true));
        METHODS.put("lstrip", (text, a, c) -> strip(text, a, true, false));
        METHODS.put("rstrip", (text, a, c) -> strip(text, a, false, true));
        plain("upper", (text, a) -> text.toUpperCase(Locale.ROOT));
        plain("lower", (text, a) -> text.toLowerCase(Locale.ROOT));
        plain("casefold", (text, a) -> text.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT));
        plain("title", (text, a) -> title(text));
        plain("capitalize", (text, a) -> capitalize(text));
        plain("swapcase", (text, a) -> swapCase(text));
        METHODS.put("startswith", (text, a, c) -> affix("startswith", text, a));
        METHODS.put("endswith", (text, a, c) -> affix("endswith", text, a));
        METHODS.put("removeprefix", (text, a, c) -> {
            String prefix = a.bind("removeprefix", 1, "prefix").text(0, "");
            return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
        });
        METHODS.put("removesuffix", (text, a, c) -> {
            String suffix = a.bind("removesuffix", 1, "suffix").text(0, "");
            return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
        });
        METHODS.put("replace", StringMethods::replace);
        METHODS.put("split", (text, a, c) -> StringSplits.split(text, a.bind("split", 0, "sep", "maxsplit"), false));
        METHODS.put("rsplit", (text, a, c) -> StringSplits.split(text, a.bind("rsplit", 0, "sep", "maxsplit"), true));
        METHODS.put("splitlines", (text, a, c) -> StringSplits.lines(text, a));
        METHODS.put("partition", (text, a, c) -> StringSplits.partition(text, a, false));
        METHODS.put("rpartition", (text, a, c) -> StringSplits.partition(text, a, true));
        METHODS.put("join", StringMethods::join);
        METHODS.put("find", (text, a, c) -> find("find", text, a));
        METHODS.put("rfind", (text, a, c) -> find("rfind", text, a));
        METHODS.put("index", (text, a, c) -> find("index", text, a));
        METHODS.put("rindex", (text, a, c) -> find("rindex", text, a));
        METHODS.put("count", (text, a, c) -> count(text, a));
        METHODS.put("center", (text, a, c) -> pad("center", text, a, c));
        METHODS.put("ljust", (text, a, c) -> pad("ljust", text, a, c));
        METHODS.put("rjust", (text, a, c) -> pad("rjust", text, a, c));
        METHODS.put("zfill", StringMethods::zfill);
        METHODS.put("expandtabs", StringMethods::expandTabs);
        METHODS.put("format", StringFormat::format);
        predicate("isspace", PythonText::isSpace);
        predicate("isalpha", Character::isLetter);
        predicate("isdigit", Character::isDigit);
        predicate("isdecimal", Character::isDigit);
        predicate(
                "isnumeric", c -> Character.isDigit(c) || Character.getNumericValue(c) >= 0 && !Character.isLetter(c));
        predicate("isalnum", Character::isLetterOrDigit);
        plain("isascii", (text, a) -> text.chars().allMatch(c -> c < 128));
        plain("isprintable", (text, a) -> text.codePoints().allMatch(PythonText::isPrintable));
        plain("isidentifier", (text, a) -> isIdentifier(text));
        plain("isupper", (text, a) -> isCased(text, true));
        plain("islower", (text, a) -> isCased(text, false));
        plain("istitle", (text, a) -> isCasedAtAll(text) && text.equals(title(text)));
    }

    private StringMethods() {}

    private static void plain(String name, BiFunction<String, Arguments, Object> method) {
        METHODS.put(name, (text, arguments, context) -> {
            arguments.bind(name, 0);
            return method.apply(text, arguments);
        });
    }

    private static void predicate(String name, IntPredicate predicate) {
        plain(name, (text, arguments) -> !text.isEmpty() && text.codePoints().allMatch(predicate));
    }

    /** Returns a string's method, or null where strings have none of that name. */
    static @Nullable Object method(String text, String name) {
        Method method = METHODS.get(name);
        if (method == null) {
            return null;
        }
        return (Invocable) (context, arguments) -> {
            context.budget().chars(text.length());
            return method.apply(text, arguments, context);
        };
    }

    /** Returns the method of marked-up text, whose results are marked up as well. */
    static @Nullable Object method(Markup markup, String name) {
        Object method = method(markup.text(), name);
        return method == null ? null : (Invocable) (context, arguments) -> markedUp(context.call(method, arguments));
    }

    private static Object markedUp(Object value) {
        if (value instanceof String text) {
            return new Markup(text);
        }
        if (value instanceof List<?> list) {
            List<Object> items = new ArrayList<>(list.size());
            list.forEach(item -> items.add(markedUp(item)));
            return value instanceof Tuple ? new Tuple(items) : items;
        }
        return value;
    }

    private static String strip(String text, Arguments arguments, boolean leading, boolean trailing) {
        Object given = arguments.bind("strip", 0, "chars").get(0, None.NONE);
        IntPredicate stripped = PythonText::isSpace;
        if (!(given instanceof None)) {
            String characters = arguments.bind("strip", 0, "chars").text(0, "");
            stripped = c -> characters.indexOf(c) >= 0;
        }
        return strip(text, stripped, leading, trailing);
    }

    static String strip(String text, IntPredicate stripped, boolean leading, boolean trailing) {
        int begin = 0;
        int end = text.length();
        while (trailing && end > begin && stripped.test(text.codePointBefore(end))) {
            end -= Character.charCount(text.codePointBefore(end));
        }
        while (leading && begin < end && stripped.test(text.codePointAt(begin))) {
            begin += Character.charCount(text.codePointAt(begin));
        }
        return text.substring(begin, end);
    }

    /** Upper-cases the first letter of each run of letters and lower-cases the others. */
    static String title(String text) {
        StringBuilder out = new StringBuilder(text.length());
        boolean inWord = false;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            String character = Character.toString(c);
            if (inWord) {
                out.append(character.toLowerCase(Locale.ROOT));
            } else {
                out.append(titleCase(c));
            }
            inWord = isCased(c);
        }
        return out.toString();
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.codePointAt(0);
        String rest = text.substring(Character.charCount(first)).toLowerCase(Locale.ROOT);
        return titleCase(first) + rest;
    }

    /** Returns a letter as a word begins with it; a few become two letters. */
    private static String titleCase(int c) {
        String upper = Character.toString(c).toUpperCase(Locale.ROOT);
        if (Character.toTitleCase(c) != c || upper.codePointCount(0, upper.length()) == 1) {
            return Character.toString(Character.toTitleCase(c));
        }
        int rest = upper.offsetByCodePoints(0, 1);
        return upper.substring(0, rest) + upper.substring(rest).toLowerCase(Locale.ROOT);
    }

    private static String swapCase(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            String character = Character.toString(c);
            out.append(
                    Character.isUpperCase(c) ? character.toLowerCase(Locale.ROOT) : character.toUpperCase(Locale.ROOT));
        });
        return out.toString();
    }

    private static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }

    private static boolean isCasedAtAll(String text) {
        return text.codePoints().anyMatch(StringMethods::isCased);
    }

    static boolean isCased(String text, boolean upper) {
        return isCasedAtAll(text)
                && text.codePoints()
                        .allMatch(c -> !isCased(c) || (upper ? Character.isUpperCase(c) : Character.isLowerCase(c)));
    }

    private static boolean isIdentifier(String text) {
        if (text.isEmpty() || !(Character.isLetter(text.codePointAt(0)) || text.charAt(0) == '_')) {
            return false;
        }
        return text.codePoints().allMatch(c -> c == '_' || Character.isLetterOrDigit(c));
    }

    private static boolean affix(String name, String text, Arguments arguments) {
        Arguments.Bound bound = arguments.bind(name, 1, "prefix", "start", "end");
        String part = range(text, bound, 1);
        if (bound.has(1) && bound.integer(1, 0) > text.length()) {
            return false;
        }
        List<?> affixes = bound.get(0) instanceof Tuple several ? several : List.of(bound.text(0, ""));
        for (Object affix : affixes) {
            if (!(affix instanceof String wanted)) {
                throw TemplateException.of(name + "() wants strings");
            }
            if (name.equals("startswith") ? part.startsWith(wanted) : part.endsWith(wanted)) {
                return true;
            }
        }
        return false;
    }

    /** Returns the part of a text that the bounds at {@code index} and after it name. */
    private static String range(String text, Arguments.Bound bound, int index) {
        if (!bound.has(index)) {
            return text;
        }
        int size = text.codePointCount(0, text.length());
        int from = clamp(bound.get(index) instanceof None ? 0 : bound.integer(index, 0), size);
        boolean open = !bound.has(index + 1) || bound.get(index + 1) instanceof None;
        int to = open ? size : clamp(bound.integer(index + 1, size), size);
        int begin = text.offsetByCodePoints(0, from);
        return text.substring(begin, text.offsetByCodePoints(begin, Math.max(0, to - from)));
    }

    private static int clamp(int bound, int size) {
        return Math.max(0, Math.min(size, bound < 0 ? bound + size : bound));
    }

    private static Object replace(String text, Arguments arguments, RenderContext context) {
        Arguments.Bound bound = arguments.bind("replace", 2, "old", "new", "count");
        return replace(text, bound.text(0, ""), bound.text(1, ""), bound.integer(2, -1), context.budget());
    }

    /** Replaces the first {@code count} occurrences, or all where it is negative. */
    static String replace(String text, String old, String replacement, int count, Budget budget) {
        long left = count < 0 ? Long.MAX_VALUE : count;
        StringBuilder out = new StringBuilder(text.length());
        int position = 0;
        while (left-- > 0) {
            int found = text.indexOf(old, position);
            if (found < 0) {
                break;
            }
            budget.grow(out.length(), found - position + (long) replacement.length() + 1);
            out.append(text, position, found).append(replacement);
            position = found + old.length();
            if (old.isEmpty()) {
                if (found >= text.length()) {
                    return out.toString();
                }
                position = text.offsetByCodePoints(found, 1);
                out.append(text, found, position);
            }
        }
        budget.grow(out.length(), text.length() - position);
        return out.append(text, position, text.length()).toString();
    }

    private static Object join(String separator, Arguments arguments, RenderContext context) {
        List<String> parts = new ArrayList<>();
        for (Object item : Values.elements(arguments.bind("join", 1, "iterable").get(0), context.budget())) {
            if (!(item instanceof String) && !(item instanceof Markup)) {
                throw TemplateException.of("join() wants strings, found " + Values.typeName(item));
            }
            parts.add(context.str(item));
        }
        return join(separator, parts, context.budget());
    }

    static String join(String separator, List<String> parts, Budget budget) {
        long length = 0;
        for (String part : parts) {
            length += part.length() + (long) separator.length();
        }
        budget.chars(length);
        return String.join(separator, parts);
    }

    private static Object find(String name, String text, Arguments arguments) {
        Arguments.Bound bound = arguments.bind(name, 1, "sub", "start", "end");
        String part = range(text, bound, 1);
        String wanted = bound.text(0, "");
        int found = name.startsWith("r") ? part.lastIndexOf(wanted) : part.indexOf(wanted);
        if (found < 0) {
            if (name.endsWith("index")) {
                throw TemplateException.of("substring not found");
            }
            return -1L;
        }
        int offset = bound.has(1) && !(bound.get(1) instanceof None)
                ? clamp(bound.integer(1, 0), text.codePointCount(0, text.length()))
                : 0;
        return (long) part.codePointCount(0, found) + offset;
    }

    private static Object count(String text, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("count", 1, "sub", "start", "end");
        String part = range(text, bound, 1);
        String wanted = bound.text(0, "");
        if (wanted.isEmpty()) {
            return part.codePointCount(0, part.length()) + 1L;
        }
        long count = 0;
        for (int at = part.indexOf(wanted); at >= 0; at = part.indexOf(wanted, at + wanted.length())) {
            count++;
        }
        return count;
    }

    private static Object pad(String name, String text, Arguments arguments, RenderContext context) {
        Arguments.Bound bound = arguments.bind(name, 1, "width", "fillchar");
        String fill = bound.text(1, " ");
        if (fill.codePointCount(0, fill.length()) != 1) {
            throw TemplateException.of(name + "() wants one fill character");
        }
        int size = text.codePointCount(0, text.length());
        int missing = Math.max(0, bound.integer(0, 0) - size);
        context.budget().chars((long) text.length() + (long) missing * fill.length());
        int left = switch (name) {
            case "ljust" -> 0;
            case "rjust" -> missing;
            default -> missing / 2 + (missing & bound.integer(0, 0) & 1);
        };
        return fill.repeat(left) + text + fill.repeat(missing - left);
    }

    private static Object zfill(String text, Arguments arguments, RenderContext context) {
        int size = text.codePointCount(0, text.length());
        int missing = Math.max(0, arguments.bind("zfill", 1, "width").integer(0, 0) - size);
        context.budget().chars((long) text.length() + missing);
        int signs = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
        return text.substring(0, signs) + "0".repeat(missing) + text.substring(signs);
    }

    private static Object expandTabs(String text, Arguments arguments, RenderContext context) {
        int tab = arguments.bind("expandtabs", 0, "tabsize").integer(0, 8);
        StringBuilder out = new StringBuilder();
        int column = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\t') {
                int spaces = tab > 0 ? tab - column % tab : 0;
                context.budget().grow(out.length(), spaces);
                out.append(" ".repeat(spaces));
                column += spaces;
            } else {
                out.append(c);
                column = c == '\n' || c == '\r' ? 0 : column + 1;
            }
        }
        return out.toString();
    }
}
