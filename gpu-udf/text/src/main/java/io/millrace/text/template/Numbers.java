package io.millrace.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * Python's numbers: whole numbers are a {@link Long}, or a {@link BigInteger} where one is too small, floats are a
 * {@link Double}, and booleans count as 0 and 1.
 */
final class Numbers {
    /** Whole numbers that templates may compute with; nothing published comes near. */
    private static final int MAX_BITS = 4096;

    /** Longest spelling of a number that is read. */
    private static final int MAX_DIGITS = 1200;

    private Numbers() {}

    static boolean isNumber(Object value) {
        return value instanceof Long
                || value instanceof Double
                || value instanceof BigInteger
                || value instanceof Boolean;
    }

    static boolean isInteger(Object value) {
        return value instanceof Long || value instanceof BigInteger || value instanceof Boolean;
    }

    static Object normalize(BigInteger value) {
        if (value.bitLength() > MAX_BITS) {
            throw TemplateException.of("a number has more than " + MAX_BITS + " bits");
        }
        return value.bitLength() < Long.SIZE ? (Object) value.longValue() : value;
    }

    static Object parseInteger(String digits) {
        if (digits.length() > MAX_DIGITS) {
            throw TemplateException.of("a number has more than " + MAX_DIGITS + " digits");
        }
        return normalize(new BigInteger(digits));
    }

    static BigInteger toBig(Object value) {
        if (value instanceof Boolean truth) {
            return truth ? BigInteger.ONE : BigInteger.ZERO;
        }
        return value instanceof BigInteger big ? big : BigInteger.valueOf((Long) value);
    }

    static double toDouble(Object value) {
        if (value instanceof Double number) {
            return number;
        }
        if (value instanceof Long number) {
            return number;
        }
        double number = toBig(value).doubleValue();
        if (Double.isInfinite(number)) {
            throw TemplateException.of("int too large to convert to float");
        }
        return number;
    }

    /** Returns a whole number, held to the range of an int. */
    static int toInt(Object value, String who) {
        if (!isInteger(value)) {
            throw TemplateException.of(who + " wants a whole number, got " + Values.typeName(value));
        }
        BigInteger big = toBig(value);
        BigInteger least = BigInteger.valueOf(Integer.MIN_VALUE);
        return big.max(least).min(BigInteger.valueOf(Integer.MAX_VALUE)).intValue();
    }

    /** Compares two numbers by their exact values; neither is NaN. */
    static int compare(Object left, Object right) {
        if (left instanceof Long a && right instanceof Long b) {
            return Long.compare(a, b);
        }
        double a = left instanceof Double number ? number : 0;
        double b = right instanceof Double number ? number : 0;
        if (!Double.isFinite(a) || !Double.isFinite(b)) {
            return Double.compare(a, b);
        }
        return exact(left).compareTo(exact(right));
    }

    private static BigDecimal exact(Object value) {
        return value instanceof Double number ? new BigDecimal(number) : new BigDecimal(toBig(value));
    }

    /** Returns {@code left operator right}; both are numbers. */
    static Object arithmetic(String operator, Object left, Object right) {
        if (operator.equals("/")) {
            return divide(left, right);
        }
        if (left instanceof Double || right instanceof Double) {
            return floats(operator, toDouble(left), toDouble(right));
        }
        BigInteger a = toBig(left);
        BigInteger b = toBig(right);
        return switch (operator) {
            case "+" -> normalize(a.add(b));
            case "-" -> normalize(a.subtract(b));
            case "*" -> normalize(a.multiply(b));
            case "//" -> normalize(floorDivide(a, b));
            case "%" -> normalize(a.subtract(floorDivide(a, b).multiply(b)));
            case "**" -> integerPower(a, b);
            default -> throw new IllegalArgumentException(operator);
        };
    }

    private static Object divide(Object left, Object right) {
        boolean zero =
                right instanceof Double number ? number == 0 : toBig(right).signum() == 0;
        if (zero) {
            throw TemplateException.of("division by zero");
        }
        if (left instanceof Double || right instanceof Double) {
            return toDouble(left) / toDouble(right);
        }
        BigInteger a = toBig(left);
        BigInteger b = toBig(right);
        if (a.bitLength() <= 53 && b.bitLength() <= 53) {
            return a.doubleValue() / b.doubleValue();
        }
        return new BigDecimal(a).divide(new BigDecimal(b), new MathContext(800)).doubleValue();
    }

    private static BigInteger floorDivide(BigInteger a, BigInteger b) {
        if (b.signum() == 0) {
            throw TemplateException.of("integer division or modulo by zero");
        }
        BigInteger[] result = a.divideAndRemainder(b);
        boolean below = result[1].signum() != 0 && result[1].signum() != b.signum();
        return below ? result[0].subtract(BigInteger.ONE) : result[0];
    }

    private static Object integerPower(BigInteger base, BigInteger exponent) {
        if (exponent.signum() < 0) {
            return floats("**", toDouble(normalize(base)), toDouble(normalize(exponent)));
        }
        if (exponent.bitLength() > 31 || (long) base.bitLength() * exponent.intValue() > MAX_BITS + 64L) {
            if (base.abs().compareTo(BigInteger.ONE) > 0) {
                throw TemplateException.of("a number has more than " + MAX_BITS + " bits");
            }
            return normalize(exponent.testBit(0) ? base : base.multiply(base));
        }
        return normalize(base.pow(exponent.intValue()));
    }

    private static Object floats(String operator, double a, double b) {
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "//" -> floorDivide(a, b);
            case "%" -> modulo(a, b);
            case "**" -> power(a, b);
            default -> throw new IllegalArgumentException(operator);
        };
    }

    private static double modulo(double a, double b) {
        if (b == 0) {
            throw TemplateException.of("float modulo");
        }
        double rest = a % b;
        if (rest == 0) {
            return Math.copySign(0.0, b);
        }
        return (rest < 0) != (b < 0) ? rest + b : rest;
    }

    private static double floorDivide(double a, double b) {
        if (b == 0) {
            throw TemplateException.of("float floor division by zero");
        }
        double quotient = (a - modulo(a, b)) / b;
        if (quotient == 0) {
            return Math.copySign(0.0, a / b);
        }
        double floor = Math.floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static double power(double base, double exponent) {
        if (base == 0 && exponent < 0) {
            throw TemplateException.of("0.0 cannot be raised to a negative power");
        }
        if (base < 0 && exponent != Math.rint(exponent) && !Double.isInfinite(exponent)) {
            throw TemplateException.of("a negative number to a broken power is not real");
        }
        double result = base == 1 ? 1 : Math.pow(base, exponent);
        if (Double.isInfinite(result) && !Double.isInfinite(base) && !Double.isInfinite(exponent)) {
            throw TemplateException.of("numerical result out of range");
        }
        return result;
    }

    static Object negate(Object value) {
        return value instanceof Double number
                ? (Object) (-number)
                : normalize(toBig(value).negate());
    }

    static Object absolute(Object value) {
        return value instanceof Double number
                ? (Object) Math.abs(number)
                : normalize(toBig(value).abs());
    }

    /** Rounds to a number of decimals, halves to even, by the float's exact value. */
    static Object round(Object value, int decimals) {
        if (isInteger(value)) {
            if (decimals >= 0) {
                return normalize(toBig(value));
            }
            if (decimals < -MAX_DIGITS) {
                return 0L;
            }
            BigDecimal rounded = new BigDecimal(toBig(value)).setScale(decimals, RoundingMode.HALF_EVEN);
            return normalize(rounded.toBigInteger());
        }
        double number = (Double) value;
        if (Double.isNaN(number) || Double.isInfinite(number) || decimals > 330) {
            return number;
        }
        if (decimals < -330) {
            return Math.copySign(0.0, number);
        }
        double rounded = new BigDecimal(number)
                .setScale(decimals, RoundingMode.HALF_EVEN)
                .doubleValue();
        return rounded == 0 ? Math.copySign(0.0, number) : rounded;
    }

    /** Returns the whole part of a finite float. */
    static Object truncate(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            throw TemplateException.of("cannot convert float " + PythonText.ofDouble(value) + " to integer");
        }
        return normalize(new BigDecimal(value).toBigInteger());
    }
}
