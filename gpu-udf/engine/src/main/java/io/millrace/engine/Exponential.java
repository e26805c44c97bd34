package io.millrace.engine;

/**
 * The exponential function in plain double arithmetic: the same bits interpreted, compiled and on every processor, which
 * {@link Math#exp} does not promise, and several times faster than {@link StrictMath#exp}.
 */
final class Exponential {
    private static final double LOG2_E = 1.4426950408889634;
    // The two parts of ln 2: the first has 21 zero bits at its end, so that its products below are exact.
    private static final double LN2_HIGH = 6.93147180369123816490e-01;
    private static final double LN2_LOW = 1.90821492927058770002e-10;

    private Exponential() {}

    /** Returns e^x for x from -700 to 700, to within 2 units in the last place. */
    static double exp(double x) {
        // x = n ln 2 + r with |r| <= ln(2)/2, so e^x = 2^n e^r; e^r by its Taylor series, whose 14th term is below
        // 2^-53.
        double n = Math.rint(x * LOG2_E);
        double r = (x - n * LN2_HIGH) - n * LN2_LOW;
        double sum = 1.0 / 6227020800.0;
        sum = sum * r + 1.0 / 479001600.0;
        sum = sum * r + 1.0 / 39916800.0;
        sum = sum * r + 1.0 / 3628800.0;
        sum = sum * r + 1.0 / 362880.0;
        sum = sum * r + 1.0 / 40320.0;
        sum = sum * r + 1.0 / 5040.0;
        sum = sum * r + 1.0 / 720.0;
        sum = sum * r + 1.0 / 120.0;
        sum = sum * r + 1.0 / 24.0;
        sum = sum * r + 1.0 / 6.0;
        sum = sum * r + 0.5;
        sum = sum * r + 1.0;
        sum = sum * r + 1.0;
        return sum * Double.longBitsToDouble(((long) n + 1023) << 52);
    }
}
