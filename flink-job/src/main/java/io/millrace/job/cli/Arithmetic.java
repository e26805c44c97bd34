package io.millrace.job.cli;

/**
 * Evaluates arithmetic: the four operations, unary signs, parentheses and decimal numbers, with the usual precedence.
 *
 * <pre>
 *   sum     = product (("+" | "-") product)*
 *   product = signed (("*" | "/") signed)*
 *   signed  = ("+" | "-")* primary
 *   primary = number | "(" sum ")"
 * </pre>
 */
final class Arithmetic {
    private static final int MAX_LENGTH = 200;
    private static final int MAX_DEPTH = 20;

    private final String text;
    private int index;
    private int depth;

    private Arithmetic(String text) {
        this.text = text;
    }

    /**
     * Returns the value of an expression.
     *
     * @throws IllegalArgumentException if it is none, with the place where it stops being one
     */
    static double evaluate(String expression) {
        if (expression.length() > MAX_LENGTH) {
            throw new IllegalArgumentException("an expression has at most " + MAX_LENGTH + " characters");
        }
        Arithmetic parser = new Arithmetic(expression);
        double value = parser.sum();
        if (parser.peek() != 0) {
            throw parser.unexpected();
        }
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException("the value is not finite");
        }
        return value;
    }

    private double sum() {
        double value = product();
        while (peek() == '+' || peek() == '-') {
            boolean plus = next() == '+';
            double operand = product();
            value = plus ? value + operand : value - operand;
        }
        return value;
    }

    private double product() {
        double value = signed();
        while (peek() == '*' || peek() == '/') {
            boolean times = next() == '*';
            double operand = signed();
            value = times ? value * operand : value / operand;
        }
        return value;
    }

    private double signed() {
        boolean negative = false;
        while (peek() == '+' || peek() == '-') {
            negative ^= next() == '-';
        }
        double value = primary();
        return negative ? -value : value;
    }

    private double primary() {
        if (peek() != '(') {
            return number();
        }
        if (++depth > MAX_DEPTH) {
            throw new IllegalArgumentException("parentheses are nested deeper than " + MAX_DEPTH);
        }
        next();
        double value = sum();
        if (peek() != ')') {
            throw unexpected();
        }
        next();
        depth--;
        return value;
    }

    private double number() {
        peek();
        int begin = index;
        while (index < text.length() && (Character.isDigit(text.charAt(index)) || text.charAt(index) == '.')) {
            index++;
        }
        try {
            return Double.parseDouble(text.substring(begin, index));
        } catch (NumberFormatException e) {
            index = begin;
            throw unexpected();
        }
    }

    /** The next character that is no blank, or 0 at the end. */
    private char peek() {
        while (index < text.length() && text.charAt(index) == ' ') {
            index++;
        }
        return index < text.length() ? text.charAt(index) : 0;
    }

    private char next() {
        char c = peek();
        index++;
        return c;
    }

    private IllegalArgumentException unexpected() {
        String found = index < text.length() ? "'" + text.charAt(index) + "'" : "its end";
        return new IllegalArgumentException("the expression has " + found + " at character " + (index + 1)
                + " where a number, an operator or a parenthesis belongs");
    }
}
