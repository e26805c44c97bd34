package io.millrace.engine;

/**
 * The exponential function in plain double arithmetic: the same bits interpreted, compiled and on every processor,
 * which {@link Math#exp} does not promise, and several times faster than {@link StrictMath#exp}.
 */
final class Exponential {
    private static final double LOG2_E = 1.4426950408889634;
    private static final double LN2 = 0.6931471805599453;

    private Exponential() {}

    /** Returns e^x for x from -700 to 0, to within a billionth of it: enough to say what is likely. */
    static double exp(double x) {
        // x = n ln 2 + r with |r| <= ln(2)/2, so e^x = 2^n e^r; e^r by its Taylor series, whose 9th term is below
        // 2^-32.
        double n = Math.rint(x * LOG2_E);
        double r = x - n * LN2;
        double sum = 1.0 / 40320.0;
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
