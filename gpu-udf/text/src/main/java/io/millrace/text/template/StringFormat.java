package io.millrace.text.template;

import java.util.Map;

/** Python's {@code str.format}: {@code {}}, {@code {0}}, {@code {name}}, {@code {a.b[c]}}, with specifications. */
final class StringFormat {
    private static final String ALIGNMENTS = "<>^=";

    private final String template;
    private final Arguments arguments;
    private final RenderContext context;
    private final StringBuilder out = new StringBuilder();
    private int nextIndex;

    private StringFormat(String template, Arguments arguments, RenderContext context) {
        this.template = template;
        this.arguments = arguments;
        this.context = context;
    }

    static String format(String template, Arguments arguments, RenderContext context) {
        return new StringFormat(template, arguments, context).run();
    }

    private String run() {
        int position = 0;
        while (position < template.length()) {
            char c = template.charAt(position);
            boolean doubled = position + 1 < template.length() && template.charAt(position + 1) == c;
            if ((c == '{' || c == '}') && doubled) {
                out.append(c);
                position += 2;
            } else if (c == '{') {
                int end = template.indexOf('}', position);
                if (end < 0) {
                    throw TemplateException.of("expected '}' before end of string");
                }
                field(template.substring(position + 1, end));
                position = end + 1;
            } else if (c == '}') {
                throw TemplateException.of("single '}' encountered in format string");
            } else {
                out.append(c);
                position++;
            }
        }
        context.budget().chars(out.length());
        return out.toString();
    }

    private void field(String field) {
        if (field.indexOf('{') >= 0) {
            throw TemplateException.of("nested format fields are not supported");
        }
        int colon = field.indexOf(':');
        String path = colon < 0 ? field : field.substring(0, colon);
        String specification = colon < 0 ? "" : field.substring(colon + 1);
        int bang = path.indexOf('!');
        Object value = value(bang < 0 ? path : path.substring(0, bang));
        if (bang >= 0) {
            boolean asCode = !path.substring(bang + 1).equals("s");
            value = asCode ? PythonText.repr(value, context.budget()) : context.str(value);
        }
        String text = specification.isEmpty() ? context.str(value) : formatted(value, specification);
        context.budget().grow(out.length(), text.length());
        out.append(text);
    }

    private Object value(String path) {
        int end = 0;
        while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
            end++;
        }
        Object value = argument(path.substring(0, end));
        while (end < path.length()) {
            int begin = end + 1;
            if (path.charAt(end) == '[') {
                end = path.indexOf(']', begin);
                if (end < 0) {
                    throw TemplateException.of("missing ']' in format string");
                }
                String key = path.substring(begin, end++);
                value = Attributes.item(value, isIndex(key) ? Numbers.parseInteger(key) : key);
            } else {
                end = begin;
                while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
                    end++;
                }
                value = Attributes.attribute(value, path.substring(begin, end));
            }
        }
        if (value instanceof Undefined undefined && !path.isEmpty() && end > 0 && path.matches(".*[.\\[].*")) {
            throw undefined.error();
        }
        return value;
    }

    private Object argument(String name) {
        if (name.isEmpty() || isIndex(name)) {
            int index = name.isEmpty() ? nextIndex++ : Numbers.toInt(Numbers.parseInteger(name), "a format field");
            if (index >= arguments.positional().size()) {
                throw TemplateException.of("replacement index " + index + " out of range");
            }
            return arguments.positional().get(index);
        }
        Map<String, Object> named = arguments.named();
        Object value = named.get(name);
        if (value == null) {
            throw TemplateException.of("the format's name is not among the arguments");
        }
        return value;
    }

    private static boolean isIndex(String text) {
        return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    /** Formats by {@code [[fill]align][sign][#][0][width][,][.precision][type]}. */
    private String formatted(Object value, String specification) {
        int at = 0;
        String fill = " ";
        char align = 0;
        if (specification.length() > 1 && ALIGNMENTS.indexOf(specification.charAt(1)) >= 0) {
            fill = specification.substring(0, 1);
            align = specification.charAt(1);
            at = 2;
        } else if (ALIGNMENTS.indexOf(specification.charAt(0)) >= 0) {
            align = specification.charAt(0);
            at = 1;
        }
        char sign = '-';
        if (at < specification.length() && "+- ".indexOf(specification.charAt(at)) >= 0) {
            sign = specification.charAt(at++);
        }
        boolean prefix = at < specification.length() && specification.charAt(at) == '#';
        at += prefix ? 1 : 0;
        if (at < specification.length() && specification.charAt(at) == '0') {
            fill = align == 0 ? "0" : fill;
            align = align == 0 ? '=' : align;
            at++;
        }
        int widthEnd = digitsEnd(specification, at);
        int width = number(specification, at, widthEnd);
        at = widthEnd;
        boolean grouped = at < specification.length() && specification.charAt(at) == ',';
        at += grouped ? 1 : 0;
        int precision = -1;
        if (at < specification.length() && specification.charAt(at) == '.') {
            int end = digitsEnd(specification, at + 1);
            precision = number(specification, at + 1, end);
            at = end;
        }
        String type = specification.substring(at);
        String body = body(value, type, precision, prefix, sign, grouped);
        return align(body, fill, align == 0 ? (Numbers.isNumber(value) ? '>' : '<') : align, width);
    }

    private static int digitsEnd(String text, int from) {
        int end = from;
        while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
            end++;
        }
        return end;
    }

    private static int number(String text, int from, int end) {
        if (end - from > 8) {
            throw TemplateException.of("too many digits in format string");
        }
        return end == from ? 0 : Integer.parseInt(text.substring(from, end));
    }

    private String body(Object value, String type, int precision, boolean prefix, char sign, boolean grouped) {
        boolean number = Numbers.isNumber(value) && !type.equals("s") && !(value instanceof Boolean && type.isEmpty());
        if (!number) {
            if (!type.isEmpty() && !type.equals("s") || !(value instanceof String || value instanceof Markup)) {
                throw TemplateException.of("format '" + type + "' does not fit " + Values.typeName(value));
            }
            String text = context.str(value);
            boolean cut = precision >= 0 && precision < text.codePointCount(0, text.length());
            return cut ? text.substring(0, text.offsetByCodePoints(0, precision)) : text;
        }
        String text;
        if (Numbers.isInteger(value) && (type.isEmpty() || "dxXobn".contains(type))) {
            char letter = type.isEmpty() ? 'd' : type.charAt(0);
            text = PythonFormat.integer(Numbers.toBig(value), letter, prefix, 0);
        } else if (type.isEmpty() && precision < 0) {
            text = PythonText.ofDouble(Numbers.toDouble(value));
        } else if (type.equals("%")) {
            double percent = Numbers.toDouble(value) * 100;
            text = PythonFormat.decimal(percent, 'f', precision < 0 ? 6 : precision, context.budget()) + "%";
        } else if (type.length() <= 1 && "fFeEgG".contains(type)) {
            char letter = type.isEmpty() ? 'g' : type.charAt(0);
            text = PythonFormat.decimal(
                    Numbers.toDouble(value), letter, precision < 0 ? 6 : precision, context.budget());
        } else {
            throw TemplateException.of("unknown format code '" + type + "'");
        }
        String grouping = grouped ? group(text) : text;
        return sign == '-' || grouping.startsWith("-") ? grouping : sign + grouping;
    }

    private static String group(String number) {
        int begin = number.startsWith("-") ? 1 : 0;
        int end = digitsEnd(number, begin);
        StringBuilder grouped = new StringBuilder(number);
        for (int at = end - 3; at > begin; at -= 3) {
            grouped.insert(at, ',');
        }
        return grouped.toString();
    }

    private String align(String text, String fill, char align, int width) {
        int missing = width - text.codePointCount(0, text.length());
        if (missing <= 0) {
            return text;
        }
        context.budget().chars(width);
        return switch (align) {
            case '<' -> text + fill.repeat(missing);
            case '^' -> fill.repeat(missing / 2) + text + fill.repeat(missing - missing / 2);
            case '=' -> {
                int signs = text.startsWith("-") || text.startsWith("+") || text.startsWith(" ") ? 1 : 0;
                yield text.substring(0, signs) + fill.repeat(missing) + text.substring(signs);
            }
            default -> fill.repeat(missing) + text;
        };
    }
}
