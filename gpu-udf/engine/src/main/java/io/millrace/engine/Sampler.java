package io.millrace.engine;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Chooses a token from a row of logits, as a pure function of the row, the parameters, the tokens so far and the offset
 * in the output. In this order, which is vLLM's: penalties, logit bias, the constraint's mask and banned end tokens,
 * temperature, min-p, top-k, top-p; then the token with the largest sum of its logit and its {@link SamplingNoise}
 * among those that are left, which is an exact draw from their softmax. Of equal logits or sums the lowest token id
 * wins. Used by one thread.
 */
final class Sampler {
    /** The answer to a row that no token can be chosen from: a logit is NaN or infinite. */
    static final int NO_TOKEN = -1;

    /** Below the largest logit by this much, a token's share of the mass is lost in rounding: e^-60 is 1e-26. */
    private static final double NEGLIGIBLE = -60;

    private final CandidateHeap heap;
    private final int[] candidateIds;

    /** A sampler for a vocabulary. */
    Sampler(int vocabSize) {
        heap = new CandidateHeap(vocabSize);
        candidateIds = new int[vocabSize];
    }

    /** Returns the token of an output without a constraint, as below. */
    int sample(
            float[] logits,
            SamplingParameters sampling,
            int offset,
            @Nullable TokenCounts counts,
            int[] bannedTokenIds) {
        return sample(logits, sampling, offset, counts, bannedTokenIds, null);
    }

    /**
     * Returns the token at {@code offset} of the output, or {@link #NO_TOKEN}.
     *
     * @param logits the row; it is changed
     * @param counts the tokens so far, where a penalty is on
     * @param bannedTokenIds tokens that must not be chosen here, unless the mask leaves nothing else
     * @param mask what may be chosen, as {@link Constraint#allowed} says it; null where that is everything
     */
    int sample(
            float[] logits,
            SamplingParameters sampling,
            int offset,
            @Nullable TokenCounts counts,
            int[] bannedTokenIds,
            long @Nullable [] mask) {
        if (!isFinite(logits)) {
            return NO_TOKEN;
        }
        if (counts != null) {
            counts.penalise(logits, sampling);
        }
        for (Map.Entry<Integer, Float> bias : sampling.logitBias().entrySet()) {
            logits[bias.getKey()] += bias.getValue();
        }
        if (mask != null) {
            TokenMask.apply(mask, logits);
        }
        if (mask == null || TokenMask.allowsOthers(mask, bannedTokenIds, logits.length)) {
            for (int tokenId : bannedTokenIds) {
                logits[tokenId] = Float.NEGATIVE_INFINITY;
            }
        }
        int best = argMax(logits);
        if (logits[best] == Float.NEGATIVE_INFINITY) {
            return NO_TOKEN;
        }
        if (sampling.temperature() == 0) {
            return best;
        }
        boolean topK = sampling.topK() > 0 && sampling.topK() < logits.length;
        long noiseKey = SamplingNoise.key(sampling.seed(), offset);
        double scale = 1.0 / sampling.temperature();
        if (!topK && sampling.topP() >= 1 && sampling.minP() <= 0) {
            return noisyMax(logits, best, scale, noiseKey);
        }
        int count = topK
                ? topK(logits, best, sampling)
                : sampling.topP() < 1
                        ? likely(logits, best, scale, sampling)
                        : aboveMinP(logits, minLogit(logits[best], sampling));
        if (sampling.topP() < 1 && topK) {
            count = nucleusOfSorted(logits, best, scale, sampling.topP(), count);
        }
        return noisyMaxOf(logits, best, scale, noiseKey, count);
    }

    /** Whether every logit is a number. */
    static boolean isFinite(float[] logits) {
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
    static int argMax(float[] logits) {
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

    /** Draws from all tokens. Starts at the likeliest, so that the bound below passes over nearly all others. */
    private static int noisyMax(float[] logits, int best, double scale, long noiseKey) {
        double maxLogit = logits[best];
        int chosen = best;
        double chosenSum = SamplingNoise.gumbel(SamplingNoise.bits(noiseKey, best));
        for (int id = 0; id < logits.length; id++) {
            double logit = (logits[id] - maxLogit) * scale;
            double needed = chosenSum - logit;
            if (needed > SamplingNoise.MAX || id == best) {
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

    /** Draws from the first candidates; {@code best} is one of them. */
    private int noisyMaxOf(float[] logits, int best, double scale, long noiseKey, int count) {
        double maxLogit = logits[best];
        int chosen = best;
        double chosenSum = SamplingNoise.gumbel(SamplingNoise.bits(noiseKey, best));
        for (int i = 0; i < count; i++) {
            int id = candidateIds[i];
            double logit = (logits[id] - maxLogit) * scale;
            long bits = SamplingNoise.bits(noiseKey, id);
            if (id == best || SamplingNoise.isBelow(bits, chosenSum - logit)) {
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

    /** The least logit that min-p keeps: p >= minP * pMax means logit >= logitMax + temperature * log(minP). */
    private static float minLogit(float maxLogit, SamplingParameters sampling) {
        if (sampling.minP() <= 0) {
            // A banned token is kept out even where min-p is off.
            return -Float.MAX_VALUE;
        }
        double exact = maxLogit + sampling.temperature() * StrictMath.log(sampling.minP());
        float rounded = (float) exact;
        return rounded < exact ? Math.nextUp(rounded) : rounded;
    }

    private int aboveMinP(float[] logits, float minLogit) {
        int count = 0;
        for (int id = 0; id < logits.length; id++) {
            if (logits[id] >= minLogit) {
                candidateIds[count++] = id;
            }
        }
        return count;
    }

    /** Candidates become the k likeliest that min-p keeps, likeliest first. */
    private int topK(float[] logits, int best, SamplingParameters sampling) {
        float least = minLogit(logits[best], sampling);
        heap.clear();
        for (int id = 0; id < logits.length; id++) {
            if (logits[id] >= least) {
                heap.offerWorstFirst(logits, id, sampling.topK());
                // Later ids lose to equals, so what is not above the worst of k need not be offered.
                least = heap.size() < sampling.topK() ? least : Math.nextUp(logits[heap.worst()]);
            }
        }
        int count = heap.size();
        for (int i = count - 1; i >= 0; i--) {
            candidateIds[i] = heap.pollWorst(logits);
        }
        return count;
    }

    private int nucleusOfSorted(float[] logits, int best, double scale, float topP, int count) {
        double total = 0;
        for (int i = 0; i < count; i++) {
            total += weight(logits, candidateIds[i], best, scale);
        }
        double mass = 0;
        for (int i = 0; i < count; i++) {
            mass += weight(logits, candidateIds[i], best, scale);
            if (mass >= topP * total) {
                return i + 1;
            }
        }
        return count;
    }

    /**
     * Candidates become the likeliest that reach top-p together, of those that min-p keeps. Tokens with less than
     * {@code (1 - topP) / n} of the mass have less than {@code 1 - topP} together, so the others alone reach top-p:
     * only they are put in order, and only as far as needed.
     */
    private int likely(float[] logits, int best, double scale, SamplingParameters sampling) {
        float minLogit = minLogit(logits[best], sampling);
        double total = 0;
        for (int id = 0; id < logits.length; id++) {
            total += logits[id] >= minLogit ? weight(logits, id, best, scale) : 0;
        }
        double leastWeight = (1.0 - sampling.topP()) * total / logits.length;
        // weight >= leastWeight, with a margin, as a comparison of logits.
        double leastLogit = Math.max(minLogit, logits[best] + (StrictMath.log(leastWeight) - 1e-6) / scale);
        heap.clear();
        for (int id = 0; id < logits.length; id++) {
            if (logits[id] >= leastLogit) {
                heap.append(id);
            }
        }
        heap.orderBestFirst(logits);
        double mass = 0;
        int count = 0;
        while (heap.size() > 0 && mass < sampling.topP() * total) {
            int id = heap.pollBest(logits);
            mass += weight(logits, id, best, scale);
            candidateIds[count++] = id;
        }
        return count;
    }

    private static double weight(float[] logits, int id, int best, double scale) {
        double exponent = ((double) logits[id] - logits[best]) * scale;
        return exponent < NEGLIGIBLE ? 0 : Exponential.exp(exponent);
    }
}
