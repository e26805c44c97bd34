package io.millrace.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Filters that give numbers. */
final class NumberFilters {
    private NumberFilters() {}

    static void register(Map<String, Filters.Filter> filters) {
        filters.put("abs", (context, value, arguments) -> {
            arguments.bind("abs", 0);
            if (!Numbers.isNumber(value)) {
                throw TemplateException.of("bad operand type for abs(): '" + Values.typeName(value) + "'");
            }
            return Numbers.absolute(value);
        });
        filters.put("int", NumberFilters::toInteger);
        filters.put("float", NumberFilters::toFloat);
        filters.put("round", NumberFilters::round);
        for (String name : new String[] {"length", "count"}) {
            filters.put(name, (context, value, arguments) -> {
                arguments.bind(name, 0);
                return Values.size(value);
            });
        }
        filters.put("sum", NumberFilters::sum);
    }

    private static Object toInteger(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("int", 0, "default", "base");
        Object otherwise = bound.get(0, 0L);
        if (value instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (Numbers.isInteger(value)) {
            return Numbers.normalize(Numbers.toBig(value));
        }
        if (value instanceof Double number) {
            return Double.isNaN(number) || Double.isInfinite(number) ? otherwise : Numbers.truncate(number);
        }
        if (!(value instanceof String) && !(value instanceof Markup)) {
            return otherwise;
        }
        Object whole = integer(context.str(value), bound.integer(1, 10));
        if (whole != null) {
            return whole;
        }
        Double number = decimal(context.str(value));
        return number == null || number.isNaN() || number.isInfinite() ? otherwise : Numbers.truncate(number);
    }

    /** Reads a whole number as Python's {@code int(text, base)}, or returns null. */
    private static @Nullable Object integer(String text, int base) {
        String digits = PythonText.strip(text).toLowerCase(Locale.ROOT);
        boolean negative = digits.startsWith("-");
        if (negative || digits.startsWith("+")) {
            digits = digits.substring(1);
        }
        int radix = base;
        for (String prefix : new String[] {"0x16", "0o8", "0b2"}) {
            int prefixBase = Integer.parseInt(prefix.substring(2));
            if (digits.startsWith(prefix.substring(0, 2)) && (base == prefixBase || base == 0)) {
                digits = digits.substring(2);
                digits = digits.startsWith("_") ? digits.substring(1) : digits;
                radix = prefixBase;
            }
        }
        if (radix == 0) {
            radix = 10;
        }
        boolean badUnderscores = digits.startsWith("_") || digits.endsWith("_") || digits.contains("__");
        digits = digits.replace("_", "");
        if (digits.isEmpty() || badUnderscores || radix < 2 || radix > 36 || digits.length() > 1200) {
            return null;
        }
        int base1 = radix;
        if (!digits.codePoints().allMatch(c -> Character.digit(c, base1) >= 0)) {
            return null;
        }
        BigInteger whole = new BigInteger(digits, radix);
        return Numbers.normalize(negative ? whole.negate() : whole);
    }

    private static Object toFloat(RenderContext context, Object value, Arguments arguments) {
        Object otherwise = arguments.bind("float", 0, "default").get(0, 0.0);
        if (value instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (Numbers.isNumber(value)) {
            return Numbers.toDouble(value);
        }
        Double number = value instanceof String || value instanceof Markup ? decimal(context.str(value)) : null;
        return number == null ? otherwise : number;
    }

    /** Reads a float as Python's {@code float(text)}, or returns null. */
    static @Nullable Double decimal(String text) {
        String number = PythonText.strip(text).toLowerCase(Locale.ROOT);
        if (number.length() > 1200) {
            return null;
        }
        if (number.matches("[+-]?(inf|infinity)")) {
            return number.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        }
        if (number.matches("[+-]?nan")) {
            return Double.NaN;
        }
        String digits = "\\d+(_\\d+)*";
        if (number.matches("[+-]?(" + digits + "\\.?(" + digits + ")?|\\." + digits + ")(e[+-]?" + digits + ")?")) {
            return Double.parseDouble(number.replace("_", ""));
        }
        return null;
    }

    private static Object round(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("round", 0, "precision", "method");
        String method = bound.text(1, "common");
        int precision = bound.integer(0, 0);
        if (!Numbers.isNumber(value)) {
            throw TemplateException.of("round wants a number, got " + Values.typeName(value));
        }
        if (method.equals("common")) {
            return Numbers.round(value, precision);
        }
        if (!method.equals("ceil") && !method.equals("floor")) {
            throw TemplateException.of("method must be common, ceil or floor");
        }
        Object scale = Numbers.arithmetic("**", 10L, (long) precision);
        Object scaled = Numbers.arithmetic("*", value, scale);
        Object whole =
                scaled instanceof Double number ? Numbers.normalize(wholeOf(number, method.equals("ceil"))) : scaled;
        return Numbers.arithmetic("/", whole, scale);
    }

    private static BigInteger wholeOf(double number, boolean up) {
        double whole = up ? Math.ceil(number) : Math.floor(number);
        if (!Double.isFinite(whole)) {
            throw TemplateException.of("cannot convert float " + PythonText.ofDouble(whole) + " to integer");
        }
        return new BigDecimal(whole).toBigInteger();
    }

    private static Object sum(RenderContext context, Object value, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("sum", 0, "attribute", "start");
        Object total = bound.get(1, 0L);
        if (total instanceof String) {
            throw TemplateException.of("sum() can't sum strings");
        }
        for (Object item : SequenceFilters.elements(context, value, bound.get(0, None.NONE))) {
            total = Operators.binary("+", total, item, context);
        }
        return total;
    }
}
