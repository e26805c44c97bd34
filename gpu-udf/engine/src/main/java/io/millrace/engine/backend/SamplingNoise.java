package io.millrace.engine.backend;

/**
 * The noise of sampling: a counter-based generator, so that the noise of a token is a function of (seed, offset in the
 * output, token id) and of nothing that happened before. The mixing function is the finaliser of SplitMix64 (variant 13
 * of Stafford's "Better Bit Mixing"), a bijection of 64 bits that passes the usual statistical tests on counters.
 *
 * <pre>
 *   key  = mix(mix(seed XOR A) + offset * B)
 *   bits = mix(key + (tokenId + 1) * G)
 *   x    = ((bits >>> 11) + 1/2) * 2^-53            uniform in (0, 1)
 *   noise = -log(-log(1 - x))                       standard Gumbel
 * </pre>
 *
 * <p>Logarithms are those of {@link StrictMath}: {@link Math#log} may give other last bits once it is compiled.
 */
public final class SamplingNoise {
    /** No noise is larger: -log(2^-54) = 37.43. */
    public static final double MAX = 37.5;

    private static final long SEED_KEY = 0xD1B54A32D192ED03L;
    private static final long OFFSET_STEP = 0x8CB92BA72F3D8DD7L;
    private static final long TOKEN_STEP = 0x9E3779B97F4A7C15L;
    private static final double LOG2_E = 1.4426950408889634;
    private static final int UNIFORM_BITS = 53;

    private SamplingNoise() {}

    /** The key of one position of one sequence's output. */
    public static long key(long seed, int offset) {
        return mix(mix(seed ^ SEED_KEY) + offset * OFFSET_STEP);
    }

    /** 53 uniform bits for a token. */
    public static long bits(long key, int tokenId) {
        return mix(key + (tokenId + 1L) * TOKEN_STEP) >>> (Long.SIZE - UNIFORM_BITS);
    }

    /** The standard Gumbel variate that these bits stand for. */
    public static double gumbel(long bits) {
        double x = (bits + 0.5) * 0x1p-53;
        return -StrictMath.log(-StrictMath.log1p(-x));
    }

    /**
     * Whether the noise of these bits is surely below a bound, found without a logarithm. With {@code E = -log(1 - x)
     * >= x}, the noise is {@code -log(E) <= -log(x)}; so it is below {@code bound} where {@code x >= 2^-k} for some
     * {@code k < bound * log2(e)}. Most tokens are passed over this way, which is what makes sampling from a large
     * vocabulary cheap.
     */
    public static boolean isBelow(long bits, double bound) {
        // The margin is far above the rounding errors of the exact comparison.
        int k = (int) (bound * LOG2_E - 1e-6);
        return bound > 0 && (k > UNIFORM_BITS || bits >>> (UNIFORM_BITS - k) != 0);
    }

    private static long mix(long value) {
        long z = value;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
