package io.millrace.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Python's {@code template % values}, and the number formats that {@code str.format} shares with it. */
final class PythonFormat {
    private final String template;
    private final Object values;
    private final Budget budget;
    private final StringBuilder out = new StringBuilder();
    private int position;
    private int used;

    private PythonFormat(String template, Object values, Budget budget) {
        this.template = template;
        this.values = values;
        this.budget = budget;
    }

    /** Returns {@code template % values}. */
    static String percent(String template, Object values, Budget budget) {
        return new PythonFormat(template, values, budget).run();
    }

    private String run() {
        while (position < template.length()) {
            int next = template.indexOf('%', position);
            if (next < 0) {
                next = template.length();
            }
            budget.grow(out.length(), next - position);
            out.append(template, position, next);
            position = next + 1;
            if (next < template.length()) {
                conversion();
            }
        }
        int given = values instanceof Tuple tuple ? tuple.size() : 1;
        boolean mayBeUnused = values instanceof Map
                || (values instanceof List && !(values instanceof Tuple))
                || values instanceof Undefined;
        if (used < given && !mayBeUnused) {
            throw TemplateException.of("not all arguments converted during string formatting");
        }
        return out.toString();
    }

    private void conversion() {
        Object value = null;
        if (peek() == '(') {
            int end = template.indexOf(')', position);
            if (end < 0 || !(values instanceof Map<?, ?> map)) {
                throw TemplateException.of("a format with names wants a dict");
            }
            value = map.get(template.substring(position + 1, end));
            if (value == null) {
                throw TemplateException.of("the format's name is not in the dict");
            }
            position = end + 1;
        }
        int flagsBegin = position;
        while ("-+ #0".indexOf(peek()) >= 0) {
            position++;
        }
        String flags = template.substring(flagsBegin, position);
        int width = width();
        int precision = -1;
        if (peek() == '.') {
            position++;
            precision = Math.max(0, width());
        }
        if ("hlL".indexOf(peek()) >= 0) {
            position++;
        }
        char type = peek();
        position++;
        if (type == '%') {
            out.append('%');
            return;
        }
        String text = convert(type, value == null ? nextValue() : value, flags, precision);
        pad(text, flags, width, "diuxXofFeEgG".indexOf(type) >= 0);
    }

    private char peek() {
        if (position >= template.length()) {
            throw TemplateException.of("incomplete format");
        }
        return template.charAt(position);
    }

    private int width() {
        if (peek() == '*') {
            position++;
            return Numbers.toInt(nextValue(), "a format's width");
        }
        int value = 0;
        while (peek() >= '0' && peek() <= '9') {
            value = Math.min(value * 10 + peek() - '0', 100_000_000);
            position++;
        }
        return value;
    }

    private Object nextValue() {
        if (values instanceof Tuple tuple) {
            if (used >= tuple.size()) {
                throw TemplateException.of("not enough arguments for format string");
            }
            return tuple.get(used++);
        }
        if (used++ > 0) {
            throw TemplateException.of("not enough arguments for format string");
        }
        return values;
    }

    private String convert(char type, Object value, String flags, int precision) {
        switch (type) {
            case 's', 'r', 'a' -> {
                String text = type == 's' ? PythonText.str(value, budget) : PythonText.repr(value, budget);
                boolean cut = precision >= 0 && precision < text.codePointCount(0, text.length());
                return cut ? text.substring(0, text.offsetByCodePoints(0, precision)) : text;
            }
            case 'c' -> {
                return value instanceof String text ? text : Character.toString(Numbers.toInt(value, "%c"));
            }
            case 'd', 'i', 'u', 'x', 'X', 'o' -> {
                boolean truncates = value instanceof Double && "diu".indexOf(type) >= 0;
                Object whole = truncates ? Numbers.truncate((Double) value) : value;
                if (!Numbers.isInteger(whole)) {
                    throw TemplateException.of("%" + type + " wants a number, not " + Values.typeName(value));
                }
                return sign(integer(Numbers.toBig(whole), type, flags.contains("#"), precision), flags);
            }
            case 'f', 'F', 'e', 'E', 'g', 'G' -> {
                if (!Numbers.isNumber(value)) {
                    throw TemplateException.of("%" + type + " wants a number, not " + Values.typeName(value));
                }
                return sign(decimal(Numbers.toDouble(value), type, precision < 0 ? 6 : precision, budget), flags);
            }
            default -> throw TemplateException.of("unsupported format character '" + type + "'");
        }
    }

    private static String sign(String number, String flags) {
        if (number.startsWith("-")) {
            return number;
        }
        return flags.contains("+") ? "+" + number : flags.contains(" ") ? " " + number : number;
    }

    /** Writes a whole number in the base that {@code type} names, with at least {@code minDigits} digits. */
    static String integer(BigInteger value, char type, boolean prefix, int minDigits) {
        int radix = Character.toLowerCase(type) == 'x' ? 16 : type == 'o' ? 8 : type == 'b' ? 2 : 10;
        String digits = value.abs().toString(radix);
        if (minDigits > digits.length()) {
            digits = "0".repeat(Math.min(minDigits, 1000) - digits.length()) + digits;
        }
        String lead = prefix && radix != 10 ? "0" + Character.toLowerCase(type) : "";
        String text = (value.signum() < 0 ? "-" : "") + lead + digits;
        return type == 'X' ? text.toUpperCase(Locale.ROOT) : text;
    }

    /** Writes a float with {@code type} one of f, e, g. */
    static String decimal(double value, char type, int precision, Budget budget) {
        boolean upper = Character.isUpperCase(type);
        String text;
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            text = PythonText.ofDouble(value);
        } else {
            budget.chars(precision + 320L);
            String sign = Math.copySign(1, value) < 0 ? "-" : "";
            BigDecimal exact = new BigDecimal(Math.abs(value));
            text = sign
                    + switch (Character.toLowerCase(type)) {
                        case 'f' ->
                            exact.setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
                        case 'e' -> scientific(exact, precision);
                        default -> general(exact, precision == 0 ? 1 : precision);
                    };
        }
        return upper ? text.toUpperCase(Locale.ROOT) : text;
    }

    private static String scientific(BigDecimal value, int precision) {
        BigDecimal rounded = value.round(new MathContext(precision + 1, RoundingMode.HALF_EVEN));
        int exponent = value.signum() == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        String digits = rounded.signum() == 0 ? "0" : rounded.unscaledValue().toString();
        if (digits.length() > precision + 1) {
            digits = digits.substring(0, precision + 1);
        }
        digits += "0".repeat(precision + 1 - digits.length());
        String mantissa = precision == 0 ? digits : digits.charAt(0) + "." + digits.substring(1);
        return mantissa + exponent(exponent);
    }

    private static String exponent(int exponent) {
        int size = Math.abs(exponent);
        return "e" + (exponent < 0 ? "-" : "+") + (size < 10 ? "0" : "") + size;
    }

    private static String general(BigDecimal value, int precision) {
        if (value.signum() == 0) {
            return "0";
        }
        BigDecimal rounded = value.round(new MathContext(precision, RoundingMode.HALF_EVEN));
        int exponent = rounded.precision() - rounded.scale() - 1;
        BigDecimal bare = rounded.stripTrailingZeros();
        if (exponent >= -4 && exponent < precision) {
            return bare.toPlainString();
        }
        String digits = bare.unscaledValue().toString();
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        return mantissa + exponent(exponent);
    }

    private void pad(String text, String flags, int width, boolean number) {
        boolean left = flags.contains("-") || width < 0;
        long missing = Math.abs((long) width) - text.codePointCount(0, text.length());
        budget.grow(out.length(), Math.max(0, missing) + text.length());
        if (missing <= 0) {
            out.append(text);
        } else if (left) {
            out.append(text).append(" ".repeat((int) missing));
        } else if (number && flags.contains("0")) {
            int signs = text.startsWith("-") || text.startsWith("+") || text.startsWith(" ") ? 1 : 0;
            out.append(text, 0, signs).append("0".repeat((int) missing)).append(text.substring(signs));
        } else {
            out.append(" ".repeat((int) missing)).append(text);
        }
    }
}
