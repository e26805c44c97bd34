package io.millrace.engine.backend;

/**
 * Chooses tokens from rows of logits as devices that sample do: greedily, or with {@link SamplingNoise} over those
 * tokens that min-p keeps. What a device chooses for a row of a {@link Batch} must be what {@link #choose} does, bit
 * for bit, so that a token does not depend on where it was chosen.
 */
public final class PlainSampler {
    /** The answer to a row that no token can be chosen from: a logit is NaN or infinite. */
    public static final int NO_TOKEN = -1;

    private PlainSampler() {}

    /**
     * The token of a row that is not {@link Batch#HOST}, or {@link #NO_TOKEN}.
     *
     * @param logits the row's; they stay as they are
     * @param row the row's index among those that logits are wanted of
     */
    public static int choose(float[] logits, Batch batch, int row) {
        if (!isFinite(logits)) {
            return NO_TOKEN;
        }
        int best = argMax(logits);
        if (batch.sampling[row] == Batch.GREEDY) {
            return best;
        }
        float minLogit = minLogit(logits[best], batch.minLogitOffsets[row]);
        return noisyMax(logits, best, minLogit, batch.scales[row], batch.noiseKeys[row]);
    }

    /** Whether every logit is a number. */
    public static boolean isFinite(float[] logits) {
        // x * 0 is 0 for a number and NaN for everything else. Four sums, so that they do not wait for each other.
        float sum0 = 0;
        float sum1 = 0;
        float sum2 = 0;
        float sum3 = 0;
        int i = 0;
        for (; i + 3 < logits.length; i += 4) {
            sum0 += logits[i] * 0;
            sum1 += logits[i + 1] * 0;
            sum2 += logits[i + 2] * 0;
            sum3 += logits[i + 3] * 0;
        }
        for (; i < logits.length; i++) {
            sum0 += logits[i] * 0;
        }
        return sum0 + sum1 + sum2 + sum3 == 0;
    }

    /** The lowest index of the largest value. */
    public static int argMax(float[] logits) {
        int best = 0;
        float bestLogit = logits[0];
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > bestLogit) {
                best = i;
                bestLogit = logits[i];
            }
        }
        return best;
    }

    /**
     * What min-p adds to the largest logit, for the least that it keeps: p >= minP * pMax means logit >= maxLogit +
     * temperature * log(minP).
     */
    public static double minLogitOffset(float temperature, float minP) {
        return minP <= 0 ? Double.NEGATIVE_INFINITY : temperature * StrictMath.log(minP);
    }

    /** The least logit that is kept: {@code maxLogit + offset}, rounded up. */
    public static float minLogit(float maxLogit, double offset) {
        double exact = maxLogit + offset;
        float rounded = (float) exact;
        return rounded < exact ? Math.nextUp(rounded) : rounded;
    }

    /**
     * The token with the largest sum of {@code (logit - maxLogit) * scale} and its noise, in doubles, of those whose
     * logit is not below {@code minLogit}; of equals the lowest id. The sums are compared as they are, so in which
     * order, and which surely smaller ones are passed over, is no matter. Starts at the likeliest, so that the bound
     * passes over nearly all others.
     *
     * @param best the lowest index of the largest logit
     */
    public static int noisyMax(float[] logits, int best, float minLogit, double scale, long noiseKey) {
        double maxLogit = logits[best];
        int chosen = best;
        double chosenSum = SamplingNoise.gumbel(SamplingNoise.bits(noiseKey, best));
        for (int id = 0; id < logits.length; id++) {
            double logit = (logits[id] - maxLogit) * scale;
            double needed = chosenSum - logit;
            if (needed > SamplingNoise.MAX || id == best || logits[id] < minLogit) {
                continue;
            }
            long bits = SamplingNoise.bits(noiseKey, id);
            if (SamplingNoise.isBelow(bits, needed)) {
                continue;
            }
            double sum = logit + SamplingNoise.gumbel(bits);
            if (sum > chosenSum || (sum == chosenSum && id < chosen)) {
                chosen = id;
                chosenSum = sum;
            }
        }
        return chosen;
    }
}
