package io.millrace.grammar.json;

import static io.millrace.grammar.Expr.choice;
import static io.millrace.grammar.Expr.literal;
import static io.millrace.grammar.Expr.optional;
import static io.millrace.grammar.Expr.sequence;

import io.millrace.grammar.CodePointSet;
import io.millrace.grammar.Expr;
import io.millrace.grammar.Expr.CharClass;
import io.millrace.grammar.Expr.Choice;
import io.millrace.grammar.Expr.Repeat;
import io.millrace.grammar.json.Schema.Bound;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How numbers are written, and those of a range.
 *
 * <p>Integers have no fraction, no exponent and at most {@value #MAX_DIGITS} digits; there is no negative zero among
 * them. Other numbers may have a fraction of at most {@value #MAX_DIGITS} digits and an exponent of at most two. Within
 * a range there is no exponent, and the digits of the fraction are so few that no number becomes another, or one of the
 * limits, when it is read as a double.
 */
final class Numbers {
    /** Most digits before the point, and after it. */
    static final int MAX_DIGITS = 32;

    /** Decimal digits that a double always keeps. */
    private static final int DOUBLE_DIGITS = 15;

    private static final Expr NOTHING = new Choice(List.of());
    private static final CharClass DIGIT = digits('0', '9');
    private static final Expr NATURAL =
            choice(literal("0"), sequence(digits('1', '9'), new Repeat(DIGIT, 0, MAX_DIGITS - 1)));

    /** Every integer. */
    static final Expr ANY_INTEGER = choice(
            literal("0"), sequence(optional(literal("-")), digits('1', '9'), new Repeat(DIGIT, 0, MAX_DIGITS - 1)));

    /** Every number. */
    static final Expr ANY = sequence(
            optional(literal("-")),
            NATURAL,
            optional(sequence(literal("."), new Repeat(DIGIT, 1, MAX_DIGITS))),
            optional(sequence(JsonStrings.set("eE"), optional(JsonStrings.set("+-")), new Repeat(DIGIT, 1, 2))));

    /** Most digits after the point; 0 for integers. */
    private final int fractionDigits;

    private Numbers(int fractionDigits) {
        this.fractionDigits = fractionDigits;
    }

    /**
     * Returns the numbers of a range.
     *
     * @param least lower limit, or null
     * @param most upper limit, or null
     * @param integer whether fractions are left out
     * @return the numbers; an empty choice where there are none
     * @throws io.millrace.kv.ServingException if the limits have too many digits
     */
    static Expr between(@Nullable Bound least, @Nullable Bound most, boolean integer) {
        BigDecimal wide = BigDecimal.TEN.pow(MAX_DIGITS);
        Bound low = least != null && least.value().compareTo(wide.negate()) <= 0 ? null : least;
        Bound high = most != null && most.value().compareTo(wide) >= 0 ? null : most;
        if (low != null && low.value().compareTo(wide) >= 0) {
            throw SchemaErrors.refused(low.path(), "has more than " + MAX_DIGITS + " digits");
        }
        if (high != null && high.value().compareTo(wide.negate()) <= 0) {
            throw SchemaErrors.refused(high.path(), "has more than " + MAX_DIGITS + " digits");
        }
        if (integer) {
            return new Numbers(0).all(roundedUp(low), roundedDown(high));
        }
        if (low == null && high == null) {
            return ANY;
        }
        return new Numbers(fractionDigits(low, high)).all(low, high);
    }

    /** Whether no integer is between two limits. */
    static boolean isEmptyOfIntegers(Bound least, Bound most) {
        Bound low = roundedUp(least);
        Bound high = roundedDown(most);
        return low != null && high != null && low.value().compareTo(high.value()) > 0;
    }

    private static @Nullable Bound roundedUp(@Nullable Bound bound) {
        if (bound == null) {
            return null;
        }
        BigDecimal up = bound.value().setScale(0, RoundingMode.CEILING);
        boolean next = bound.exclusive() && up.compareTo(bound.value()) == 0;
        return new Bound(next ? up.add(BigDecimal.ONE) : up, false, bound.path());
    }

    private static @Nullable Bound roundedDown(@Nullable Bound bound) {
        if (bound == null) {
            return null;
        }
        BigDecimal down = bound.value().setScale(0, RoundingMode.FLOOR);
        boolean next = bound.exclusive() && down.compareTo(bound.value()) == 0;
        return new Bound(next ? down.subtract(BigDecimal.ONE) : down, false, bound.path());
    }

    private static int fractionDigits(@Nullable Bound low, @Nullable Bound high) {
        int before = Math.max(before(low), before(high));
        int digits = Math.max(1, DOUBLE_DIGITS - before);
        for (Bound bound : new Bound[] {low, high}) {
            if (bound != null && bound.value().scale() > digits) {
                throw SchemaErrors.refused(
                        bound.path(), "with the other limit this has more than " + DOUBLE_DIGITS + " digits");
            }
        }
        return digits;
    }

    private static int before(@Nullable Bound bound) {
        return bound == null ? 1 : whole(bound.value().abs()).length();
    }

    private Expr all(@Nullable Bound low, @Nullable Bound high) {
        List<Expr> parts = new ArrayList<>();
        // Numbers from zero up: the magnitude is between the limits.
        if (high == null || high.value().signum() >= 0) {
            Bound from = low == null || low.value().signum() < 0 ? new Bound(BigDecimal.ZERO, false, "") : low;
            parts.add(magnitudes(from, high));
        }
        // Numbers below zero: the magnitude is between the limits turned round, and is not zero.
        if (low == null || low.value().signum() < 0) {
            Bound from = high == null || high.value().signum() >= 0
                    ? new Bound(BigDecimal.ZERO, true, "")
                    : new Bound(high.value().negate(), high.exclusive(), "");
            Bound to = low == null ? null : new Bound(low.value().negate(), low.exclusive(), "");
            parts.add(sequence(literal("-"), magnitudes(from, to)));
        }
        return new Choice(parts);
    }

    /** The numbers without sign from one limit to another. */
    private Expr magnitudes(Bound from, @Nullable Bound to) {
        if (to != null) {
            int order = from.value().compareTo(to.value());
            if (order > 0 || (order == 0 && (from.exclusive() || to.exclusive()))) {
                return NOTHING;
            }
        }
        String low = whole(from.value());
        String high = to == null ? null : whole(to.value());
        List<Expr> branches = new ArrayList<>();
        if (high != null && low.equals(high)) {
            branches.add(sequence(literal(low), fractions(from, to)));
        } else {
            branches.add(sequence(literal(low), fractions(from, null)));
            branches.add(sequence(wholesBetween(low, high), anyFraction()));
            if (to != null && high != null) {
                branches.add(sequence(literal(high), fractions(null, to)));
            }
        }
        return new Choice(branches);
    }

    /** The whole numbers between two, both left out; the upper may be missing. */
    private static Expr wholesBetween(String low, @Nullable String high) {
        BigInteger first = new BigInteger(low).add(BigInteger.ONE);
        BigInteger last = high == null
                ? BigInteger.TEN.pow(MAX_DIGITS).subtract(BigInteger.ONE)
                : new BigInteger(high).subtract(BigInteger.ONE);
        if (first.compareTo(last) > 0) {
            return NOTHING;
        }
        List<Expr> branches = new ArrayList<>();
        int shortest = first.toString().length();
        int longest = last.toString().length();
        for (int length = shortest; length <= longest; length++) {
            String from = length == shortest ? first.toString() : "1" + "0".repeat(length - 1);
            String to = length == longest ? last.toString() : "9".repeat(length);
            branches.add(sameLength(from, to));
        }
        return new Choice(branches);
    }

    /** The digits from one text of digits to another of the same length, both included. */
    private static Expr sameLength(String from, String to) {
        if (from.isEmpty()) {
            return Expr.EMPTY;
        }
        int rest = from.length() - 1;
        if (from.equals("0".repeat(rest + 1)) && to.equals("9".repeat(rest + 1))) {
            return new Repeat(DIGIT, rest + 1, rest + 1);
        }
        if (from.charAt(0) == to.charAt(0)) {
            return sequence(literal(from.substring(0, 1)), sameLength(from.substring(1), to.substring(1)));
        }
        List<Expr> branches = new ArrayList<>();
        branches.add(sequence(literal(from.substring(0, 1)), sameLength(from.substring(1), "9".repeat(rest))));
        if (to.charAt(0) - from.charAt(0) > 1) {
            branches.add(sequence(
                    digits((char) (from.charAt(0) + 1), (char) (to.charAt(0) - 1)), new Repeat(DIGIT, rest, rest)));
        }
        branches.add(sequence(literal(to.substring(0, 1)), sameLength("0".repeat(rest), to.substring(1))));
        return new Choice(branches);
    }

    private Expr anyFraction() {
        if (fractionDigits == 0) {
            return Expr.EMPTY;
        }
        return optional(sequence(literal("."), new Repeat(DIGIT, 1, fractionDigits)));
    }

    /** What may follow the whole part that both limits have (or the one that is given): the point and the fraction. */
    private Expr fractions(@Nullable Bound from, @Nullable Bound to) {
        String low = from == null ? "" : fraction(from.value());
        boolean lowOpen = from != null && from.exclusive();
        String high = to == null ? null : fraction(to.value());
        boolean highOpen = to != null && to.exclusive();
        List<Expr> branches = new ArrayList<>();
        boolean zero = low.isEmpty() && !lowOpen && !(high != null && high.isEmpty() && highOpen);
        if (zero) {
            branches.add(Expr.EMPTY);
        }
        if (fractionDigits > 0) {
            branches.add(sequence(literal("."), tails(low, lowOpen, high, highOpen, fractionDigits, true)));
        }
        return new Choice(branches);
    }

    /**
     * Digits after the point: those so far are the same as in the limits that are given.
     *
     * @param low digits of the lower limit that are left; zeros follow
     * @param high digits of the upper limit that are left, or null where any will do
     * @param left how many digits there may still be
     * @param first whether there must be one
     */
    private Expr tails(String low, boolean lowOpen, @Nullable String high, boolean highOpen, int left, boolean first) {
        boolean free = low.isEmpty() && !lowOpen && high == null;
        if (free) {
            return new Repeat(DIGIT, first ? 1 : 0, left);
        }
        List<Expr> branches = new ArrayList<>();
        boolean mayEnd = low.isEmpty() && !lowOpen && !(high != null && high.isEmpty() && highOpen);
        if (mayEnd && !first) {
            branches.add(Expr.EMPTY);
        }
        if (left > 0 && !(high != null && high.isEmpty() && highOpen)) {
            digitBranches(low, lowOpen, high, highOpen, left, branches);
        }
        return new Choice(branches);
    }

    private void digitBranches(
            String low, boolean lowOpen, @Nullable String high, boolean highOpen, int left, List<Expr> branches) {
        char least = low.isEmpty() ? '0' : low.charAt(0);
        char most = high == null ? '9' : high.isEmpty() ? '0' : high.charAt(0);
        String lowRest = low.isEmpty() ? "" : low.substring(1);
        String highRest = high == null ? null : high.isEmpty() ? "" : high.substring(1);
        boolean lowBinds = !low.isEmpty() || lowOpen;
        if (least > most) {
            return;
        }
        if (lowBinds && high != null && least == most) {
            branches.add(sequence(literal("" + least), tails(lowRest, lowOpen, highRest, highOpen, left - 1, false)));
            return;
        }
        char from = least;
        char to = most;
        if (lowBinds) {
            branches.add(sequence(literal("" + least), tails(lowRest, lowOpen, null, false, left - 1, false)));
            from++;
        }
        if (high != null) {
            branches.add(sequence(literal("" + most), tails("", false, highRest, highOpen, left - 1, false)));
            to--;
        }
        if (from <= to) {
            branches.add(sequence(digits(from, to), new Repeat(DIGIT, 0, left - 1)));
        }
    }

    private static String whole(BigDecimal magnitude) {
        return magnitude.setScale(0, RoundingMode.DOWN).toPlainString();
    }

    private static String fraction(BigDecimal magnitude) {
        if (magnitude.scale() <= 0) {
            return "";
        }
        String plain = magnitude.stripTrailingZeros().toPlainString();
        int point = plain.indexOf('.');
        return point < 0 ? "" : plain.substring(point + 1);
    }

    private static CharClass digits(char first, char last) {
        return new CharClass(CodePointSet.range(first, last));
    }
}
