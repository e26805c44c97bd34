package io.millrace.text.template;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** The tests that templates can name after {@code is}. */
final class Tests {
    private interface Check {
        boolean test(RenderContext context, Object value, Arguments arguments);
    }

    private static final Map<String, Check> TESTS = new HashMap<>();

    static {
        plain("defined", value -> !(value instanceof Undefined));
        plain("undefined", value -> value instanceof Undefined);
        plain("none", value -> value instanceof None);
        plain("boolean", value -> value instanceof Boolean);
        plain("true", Boolean.TRUE::equals);
        plain("false", Boolean.FALSE::equals);
        plain("integer", value -> Numbers.isInteger(value) && !(value instanceof Boolean));
        plain("float", value -> value instanceof Double);
        plain("number", Numbers::isNumber);
        plain("string", value -> value instanceof String || value instanceof Markup);
        plain("mapping", value -> value instanceof Map);
        plain("iterable", Values::isIterable);
        plain(
                "sequence",
                value -> Values.isIterable(value) && !(value instanceof Generator) && !(value instanceof DictView));
        plain("callable", value -> value instanceof Invocable || value instanceof Undefined);
        plain("escaped", value -> value instanceof Markup);
        plain("odd", value -> remainder(value, 2) == 1);
        plain("even", value -> remainder(value, 2) == 0);
        TESTS.put("divisibleby", (context, value, arguments) -> {
            Object by = arguments.bind("divisibleby", 1, "num").get(0);
            return !Values.isTrue(Operators.binary("%", value, by, context));
        });
        for (String name : List.of("lower", "upper")) {
            TESTS.put(name, (context, value, arguments) -> {
                arguments.bind(name, 0);
                return StringMethods.isCased(context.str(value), name.equals("upper"));
            });
        }
        TESTS.put("filter", (context, value, arguments) -> value instanceof String name && Filters.has(name));
        TESTS.put("test", (context, value, arguments) -> value instanceof String name && has(name));
        TESTS.put("sameas", (context, value, arguments) -> {
            Object other = arguments.bind("sameas", 1, "other").get(0);
            boolean small = value instanceof String || Numbers.isNumber(value);
            return value == other || (small && value.equals(other));
        });
        operator("==", "==", "eq", "equalto");
        operator("!=", "!=", "ne");
        operator(">", ">", "gt", "greaterthan");
        operator(">=", ">=", "ge");
        operator("<", "<", "lt", "lessthan");
        operator("<=", "<=", "le");
        operator("in", "in");
    }

    private Tests() {}

    private static void plain(String name, Predicate<Object> predicate) {
        TESTS.put(name, (context, value, arguments) -> {
            arguments.bind(name, 0);
            return predicate.test(value);
        });
    }

    private static void operator(String operator, String... names) {
        for (String name : List.of(names)) {
            TESTS.put(name, (context, value, arguments) -> {
                Object other = arguments.bind(name, 1, "other").get(0);
                return Operators.compare(operator, value, other, context.budget());
            });
        }
    }

    private static double remainder(Object value, long by) {
        if (!Numbers.isNumber(value)) {
            throw TemplateException.of("unsupported operand type(s) for %: '" + Values.typeName(value) + "' and 'int'");
        }
        return Numbers.toDouble(Numbers.arithmetic("%", value, by));
    }

    static boolean has(String name) {
        return TESTS.containsKey(name);
    }

    /** Returns whether a test holds for a value. */
    static boolean test(RenderContext context, String name, Object value, Arguments arguments) {
        Check check = TESTS.get(name);
        if (check == null) {
            throw TemplateException.of("no test named '" + name + "'");
        }
        return check.test(context, value, arguments);
    }
}
