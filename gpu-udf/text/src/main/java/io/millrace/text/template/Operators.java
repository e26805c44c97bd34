package io.millrace.text.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Python's operators. */
final class Operators {
    private Operators() {}

    /** Returns {@code left operator right}. */
    static Object binary(String operator, Object left, Object right, RenderContext context) {
        if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
            return Numbers.arithmetic(operator, left, right);
        }
        if (left instanceof Undefined undefined && !operator.equals("*")) {
            throw undefined.error();
        }
        if (operator.equals("+")) {
            return add(left, right, context);
        }
        if (operator.equals("%") && left instanceof String template) {
            return PythonFormat.percent(template, right, context.budget());
        }
        if (operator.equals("%") && left instanceof Markup markup) {
            return new Markup(PythonFormat.percent(markup.text(), right, context.budget()));
        }
        if (operator.equals("*") && Numbers.isInteger(right) && isSequence(left)) {
            return repeat(left, right, context.budget());
        }
        if (operator.equals("*") && Numbers.isInteger(left) && isSequence(right)) {
            return repeat(right, left, context.budget());
        }
        throw unsupported(operator, left, right);
    }

    private static TemplateException unsupported(String operator, Object left, Object right) {
        if (left instanceof Undefined undefined) {
            return undefined.error();
        }
        if (right instanceof Undefined undefined) {
            return undefined.error();
        }
        return TemplateException.of("unsupported operand type(s) for " + operator + ": '" + Values.typeName(left)
                + "' and '" + Values.typeName(right) + "'");
    }

    private static boolean isSequence(Object value) {
        return value instanceof String
                || value instanceof Markup
                || (value instanceof List && !(value instanceof Range));
    }

    /** Returns {@code left + right}. */
    static Object add(Object left, Object right, RenderContext context) {
        if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
            return Numbers.arithmetic("+", left, right);
        }
        if (left instanceof String a && right instanceof String b) {
            context.budget().chars((long) a.length() + b.length());
            return a + b;
        }
        boolean texts = (left instanceof Markup || left instanceof String)
                && (right instanceof Markup || right instanceof String);
        if (texts) {
            context.budget()
                    .chars(6L * (context.str(left).length() + context.str(right).length()));
            return new Markup(escaped(left) + escaped(right));
        }
        boolean lists = left instanceof List
                && right instanceof List
                && Values.typeName(left).equals(Values.typeName(right))
                && !(left instanceof Range);
        if (lists) {
            List<?> a = (List<?>) left;
            List<?> b = (List<?>) right;
            context.budget().charge((long) a.size() + b.size());
            List<Object> joined = new ArrayList<>(a);
            joined.addAll(b);
            return left instanceof Tuple ? new Tuple(joined) : joined;
        }
        throw unsupported("+", left, right);
    }

    private static String escaped(Object value) {
        return value instanceof Markup markup ? markup.text() : Markup.escape((String) value);
    }

    private static Object repeat(Object value, Object times, Budget budget) {
        BigInteger wanted = Numbers.toBig(times).max(BigInteger.ZERO);
        int count = wanted.min(BigInteger.valueOf(Integer.MAX_VALUE)).intValue();
        if (value instanceof Markup markup) {
            return new Markup((String) repeat(markup.text(), times, budget));
        }
        if (value instanceof String text) {
            budget.chars((long) text.length() * count);
            return text.repeat(count);
        }
        List<?> items = (List<?>) value;
        budget.charge((long) items.size() * count);
        List<Object> repeated = new ArrayList<>();
        for (int i = 0; i < count && !items.isEmpty(); i++) {
            repeated.addAll(items);
        }
        return value instanceof Tuple ? new Tuple(repeated) : repeated;
    }

    /** Returns {@code -value} or {@code +value}. */
    static Object sign(boolean negative, Object value) {
        if (value instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (!Numbers.isNumber(value)) {
            throw TemplateException.of(
                    "bad operand type for unary " + (negative ? "-" : "+") + ": '" + Values.typeName(value) + "'");
        }
        if (negative) {
            return Numbers.negate(value);
        }
        return value instanceof Boolean ? Numbers.normalize(Numbers.toBig(value)) : value;
    }

    /** Returns whether {@code left operator right} holds. */
    static boolean compare(String operator, Object left, Object right, Budget budget) {
        switch (operator) {
            case "==" -> {
                return Values.equal(left, right, budget);
            }
            case "!=" -> {
                return !Values.equal(left, right, budget);
            }
            case "in" -> {
                return Values.contains(right, left, budget);
            }
            case "not in" -> {
                return !Values.contains(right, left, budget);
            }
            default -> {}
        }
        if (right instanceof Undefined undefined) {
            throw undefined.error();
        }
        int order = Values.compare(left, right, budget);
        boolean unordered = left instanceof Double a && Double.isNaN(a) || right instanceof Double b && Double.isNaN(b);
        return !unordered
                && switch (operator) {
                    case "<" -> order < 0;
                    case "<=" -> order <= 0;
                    case ">" -> order > 0;
                    default -> order >= 0;
                };
    }
}
