package io.millrace.engine;

import io.millrace.engine.backend.PlainSampler;
import io.millrace.engine.backend.SamplingNoise;
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
    static final int NO_TOKEN = PlainSampler.NO_TOKEN;

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
        if (!PlainSampler.isFinite(logits)) {
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
        int best = PlainSampler.argMax(logits);
        if (logits[best] == Float.NEGATIVE_INFINITY) {
            return NO_TOKEN;
        }
        if (sampling.temperature() == 0) {
            return best;
        }
        boolean topK = sampling.topK() > 0 && sampling.topK() < logits.length;
        long noiseKey = SamplingNoise.key(sampling.seed(), offset);
        double scale = scale(sampling);
        if (!topK && sampling.topP() >= 1) {
            return PlainSampler.noisyMax(logits, best, minLogit(logits[best], sampling), scale, noiseKey);
        }
        int count = topK ? topK(logits, best, sampling) : likely(logits, best, scale, sampling);
        if (sampling.topP() < 1 && topK) {
            count = nucleusOfSorted(logits, best, scale, sampling.topP(), count);
        }
        return noisyMaxOf(logits, best, scale, noiseKey, count);
    }

    /** What logits are multiplied with, where the temperature is not 0. */
    static double scale(SamplingParameters sampling) {
        return 1.0 / sampling.temperature();
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

    /** The least logit that min-p keeps. */
    private static float minLogit(float maxLogit, SamplingParameters sampling) {
        if (sampling.minP() <= 0) {
            // A banned token is kept out even where min-p is off.
            return -Float.MAX_VALUE;
        }
        return PlainSampler.minLogit(maxLogit, PlainSampler.minLogitOffset(sampling.temperature(), sampling.minP()));
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
