package io.millrace.backend.cpu.kernel;

/**
 * The exponential that every kernel uses, with the constants that its vector twin shares.
 *
 * <p>exp(x) = 2^n exp(r), n the integer nearest to x / ln 2, r the rest in two steps; exp(r) = 1 + r + r^2 P(r), with P
 * of degree four fitted for the least greatest relative error on |r| below ln 2 / 2 (3e-9). Arguments below {@link
 * #LOW} give exactly zero, those above {@link #HIGH} what it gives.
 */
public final class Exponential {
    /** Below it the result would not be a normal float; it is zero. */
    public static final float LOW = -87f;

    /** Above it the result would be infinite; it is exp of this. */
    public static final float HIGH = 88f;

    public static final float LOG2_E = 1.44269504f;

    /** 1.5 * 2^23: adding it leaves a small number's nearest integer in the low bits. */
    public static final float ROUNDER = 12582912f;

    /** ln 2 with enough trailing zeros for its product with n to be exact, and what is left. */
    public static final float LN2_HIGH = 0.693145751953125f;

    public static final float LN2_LOW = 1.428606765330187e-06f;

    public static final float P0 = 0.4999999403953552f;
    public static final float P1 = 0.1666651964187622f;
    public static final float P2 = 0.04166839271783829f;
    public static final float P3 = 0.008368780836462975f;
    public static final float P4 = 0.0013814467238262296f;

    /** 2 sqrt(2 / pi), and that times 0.044715: GELU's tanh form is x sigmoid(x (A + B x^2)). */
    public static final float GELU_A = 1.5957691216f;

    public static final float GELU_B = 0.0713548162726f;

    private Exponential() {}

    /** Returns e to the x. */
    public static float exp(float x) {
        float bounded = x > HIGH ? HIGH : x;
        float shifted = Math.fma(bounded, LOG2_E, ROUNDER);
        float n = shifted - ROUNDER;
        float r = Math.fma(n, -LN2_HIGH, bounded);
        r = Math.fma(n, -LN2_LOW, r);
        float p = Math.fma(P4, r, P3);
        p = Math.fma(p, r, P2);
        p = Math.fma(p, r, P1);
        p = Math.fma(p, r, P0);
        float e = Math.fma(r * r, p, r) + 1f;
        float scaled = Float.intBitsToFloat(Float.floatToRawIntBits(e) + (Float.floatToRawIntBits(shifted) << 23));
        return x < LOW ? 0f : scaled;
    }

    /** Returns x sigmoid(x). */
    public static float silu(float x) {
        return x / (1f + exp(-x));
    }

    /** Returns the tanh approximation of GELU. */
    public static float geluTanh(float x) {
        float z = x * Math.fma(GELU_B, x * x, GELU_A);
        return x / (1f + exp(-z));
    }
}
