package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.engine.backend.PlainSampler;
import io.millrace.engine.backend.SamplingNoise;
import io.millrace.kv.testing.Property;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final int[] NONE = {};
    // Computed by another program from the formula in SamplingNoise.
    private static final long[] PINNED_BITS = {8903365296281081L, 5878141213650507L, 3519818012113613L};

    @Test
    void greedyTakesTheLowestOfEquals() {
        assertThat(sample(new float[] {1, 3, 2, 3}, parameters(0, 0, 1, 0))).isEqualTo(1);
        assertThat(sample(new float[] {-0.0f, 0.0f, -1}, parameters(0, 0, 1, 0)))
                .isZero();
    }

    @Test
    void refusesLogitsThatAreNoNumbers() {
        for (int length = 1; length < 20; length++) {
            for (int at = 0; at < length; at++) {
                for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                    float[] logits = new float[length];
                    Arrays.fill(logits, -Float.MAX_VALUE);
                    assertThat(PlainSampler.isFinite(logits)).isTrue();
                    logits[at] = bad;
                    assertThat(sample(logits, parameters(1, 0, 1, 0))).isEqualTo(Sampler.NO_TOKEN);
                }
            }
        }
    }

    @Test
    void refusesToChooseFromNothing() {
        int[] all = {0, 1};
        assertThat(new Sampler(2).sample(new float[2], parameters(1, 0, 1, 0), 0, null, all))
                .isEqualTo(Sampler.NO_TOKEN);
    }

    @Test
    void frequenciesAreThoseOfTheSoftmax() {
        Random random = new Random(5);
        for (float temperature : new float[] {0.3f, 1, 2.5f}) {
            for (SamplingParameters filter : List.of(
                    parameters(temperature, 0, 1, 0),
                    parameters(temperature, 6, 1, 0),
                    parameters(temperature, 0, 0.8f, 0),
                    parameters(temperature, 0, 1, 0.1f),
                    parameters(temperature, 9, 0.9f, 0.02f))) {
                float[] logits = randomLogits(random, 20, 2);
                checkFrequencies(logits, filter);
            }
        }
    }

    // Pearson's chi-squared over 40,000 draws: below its 1e-6 quantile for at most 19 degrees of freedom, which is 65.
    private static void checkFrequencies(float[] logits, SamplingParameters sampling) {
        int draws = 40_000;
        Sampler sampler = new Sampler(logits.length);
        int[] counts = new int[logits.length];
        for (int offset = 0; offset < draws; offset++) {
            counts[sampler.sample(logits.clone(), sampling, offset, null, NONE)]++;
        }
        double[] expected = expectedProbabilities(logits, sampling);
        double chiSquared = 0;
        for (int id = 0; id < logits.length; id++) {
            if (expected[id] == 0) {
                assertThat(counts[id])
                        .as("token %s is filtered by %s", id, sampling)
                        .isZero();
            } else {
                double difference = counts[id] - draws * expected[id];
                chiSquared += difference * difference / (draws * expected[id]);
            }
        }
        assertThat(chiSquared).as("%s", sampling).isLessThan(65);
    }

    @Test
    void noiseIsUniformInEveryDirection() {
        // Means over tokens, offsets and seeds: 1/2 to within 5 standard deviations of 1/sqrt(12 n).
        int n = 100_000;
        double[] sums = new double[3];
        for (int i = 0; i < n; i++) {
            sums[0] += uniform(SamplingNoise.bits(SamplingNoise.key(1, 2), i));
            sums[1] += uniform(SamplingNoise.bits(SamplingNoise.key(1, i), 2));
            sums[2] += uniform(SamplingNoise.bits(SamplingNoise.key(i, 1), 2));
        }
        for (double sum : sums) {
            assertThat(sum / n).isCloseTo(0.5, within(5 / Math.sqrt(12.0 * n)));
        }
    }

    @Test
    void noiseIsPinned() {
        // These values are the format: to change them changes every sampled output there is.
        assertThat(SamplingNoise.bits(SamplingNoise.key(0, 0), 0)).isEqualTo(PINNED_BITS[0]);
        assertThat(SamplingNoise.bits(SamplingNoise.key(42, 7), 49_151)).isEqualTo(PINNED_BITS[1]);
        assertThat(SamplingNoise.bits(SamplingNoise.key(-1, 1 << 20), 1)).isEqualTo(PINNED_BITS[2]);
        assertThat(SamplingNoise.gumbel(0)).isCloseTo(54 * Math.log(2), within(1e-12));
        assertThat(SamplingNoise.gumbel(1L << 52)).isCloseTo(-Math.log(Math.log(2)), within(1e-12));
    }

    @Test
    void theQuickBoundNeverPassesOverAWinner() {
        Property.forAll(1, 200, random -> {
            for (int i = 0; i < 1000; i++) {
                // All magnitudes of the uniform variate, down to the smallest.
                long bits = random.nextLong() >>> 11 + random.nextInt(54);
                double noise = SamplingNoise.gumbel(bits);
                double bound = noise + (random.nextDouble() - 0.5) * Math.pow(10, -random.nextInt(16));
                if (SamplingNoise.isBelow(bits, bound)) {
                    assertThat(noise).isLessThan(bound);
                }
            }
        });
    }

    @Test
    void isTheSameAsTheDefinition() {
        Property.forAll(50, 300, random -> {
            int vocab = 1 + random.nextInt(400);
            float[] logits = randomLogits(random, vocab, 1 + random.nextInt(5));
            for (int i = random.nextInt(10); i > 0; i--) {
                // Equal logits, so that the order among equals matters.
                logits[random.nextInt(vocab)] = logits[random.nextInt(vocab)];
            }
            SamplingParameters sampling = parameters(
                    0.1f + random.nextFloat() * 2,
                    random.nextInt(3) * random.nextInt(vocab + 5),
                    random.nextInt(3) == 0 ? 1 : 0.05f + 0.95f * random.nextFloat(),
                    random.nextInt(3) == 0 ? 0 : random.nextFloat() * 0.3f);
            Sampler sampler = new Sampler(vocab);
            double[] expected = expectedProbabilities(logits, sampling);
            for (int offset = 0; offset < 20; offset++) {
                int best = -1;
                double bestSum = Double.NEGATIVE_INFINITY;
                for (int id = 0; id < vocab; id++) {
                    double sum = expected[id] == 0
                            ? Double.NEGATIVE_INFINITY
                            : logits[id] / (double) sampling.temperature()
                                    + SamplingNoise.gumbel(
                                            SamplingNoise.bits(SamplingNoise.key(sampling.seed(), offset), id));
                    if (sum > bestSum) {
                        best = id;
                        bestSum = sum;
                    }
                }
                assertThat(sampler.sample(logits.clone(), sampling, offset, null, NONE))
                        .as("%s", sampling)
                        .isEqualTo(best);
            }
        });
    }

    @Test
    void penaltiesAndBiasChangeTheLogitsTheyName() {
        TokenCounts counts = new TokenCounts();
        counts.addPrompt(0);
        counts.addPrompt(1);
        counts.addOutput(2);
        counts.addOutput(2);
        SamplingParameters sampling =
                new SamplingParameters(1, 0, 0, 1, 0, 2, 0.5f, 0.25f, Map.of(3, 1.5f, 4, -1f), Set.of(), 0, false, 0);
        float[] logits = {4, -4, 4, 4, 4};
        int chosen = new Sampler(5).sample(logits, sampling, 2, counts, new int[] {3});
        assertThat(logits).containsExactly(2, -8, 2 - 0.5f - 0.5f, Float.NEGATIVE_INFINITY, 3);
        assertThat(chosen).isEqualTo(4);
    }

    @Test
    void aMaskIsAppliedBeforeEveryFilter() {
        Random random = new Random(11);
        int vocab = 150;
        for (int round = 0; round < 2000; round++) {
            long sparse = random.nextLong();
            sparse &= random.nextLong();
            long[] mask = {sparse, random.nextLong(), random.nextLong()};
            mask[random.nextInt(3)] = random.nextInt(3) - 1;
            SamplingParameters sampling =
                    parameters(random.nextInt(3), random.nextInt(9), random.nextInt(2) == 0 ? 1 : 0.7f, 0.05f);
            float[] logits = new float[vocab];
            float[] removed = new float[vocab];
            int[] banned = {3, 70};
            int left = 0;
            for (int id = 0; id < vocab; id++) {
                logits[id] = random.nextFloat() * 8;
                boolean allowed = (mask[id / 64] >>> id & 1) != 0;
                removed[id] = allowed ? logits[id] : -1000;
                left += allowed && id != 3 && id != 70 ? 1 : 0;
            }
            int chosen = new Sampler(vocab).sample(logits, sampling, round, null, banned, mask);
            if (left == 0) {
                banned = NONE;
            }
            int expected = new Sampler(vocab).sample(removed, sampling, round, null, banned);
            if (TokenMask.allowsAny(mask, vocab)) {
                assertThat(chosen).as("round %d", round).isEqualTo(expected);
                assertThat(mask[chosen / 64] >>> chosen & 1).isEqualTo(1);
            } else {
                assertThat(chosen).isEqualTo(Sampler.NO_TOKEN);
            }
        }
    }

    @Test
    void countsManyTokens() {
        TokenCounts counts = new TokenCounts();
        for (int i = 0; i < 3000; i++) {
            counts.addPrompt(i);
            for (int j = 0; j < i % 3; j++) {
                counts.addOutput(i);
            }
        }
        float[] logits = new float[3000];
        counts.penalise(logits, new SamplingParameters(1, 0, 0, 1, 0, 1, 0, 1, Map.of(), Set.of(), 0, false, 0));
        for (int i = 0; i < 3000; i++) {
            assertThat(logits[i]).isEqualTo(-(i % 3));
        }
    }

    @Test
    void theExponentialIsExactEnough() {
        Property.forAll(1, 100, random -> {
            for (int i = 0; i < 1000; i++) {
                double x = -60 * random.nextDouble();
                double exact = StrictMath.exp(x);
                assertThat(Exponential.exp(x)).isCloseTo(exact, within(1e-9 * exact));
            }
        });
        assertThat(Exponential.exp(0)).isEqualTo(1);
    }

    /** The filters by their definitions, with a full sort. */
    private static double[] expectedProbabilities(float[] logits, SamplingParameters sampling) {
        double max = IntStream.range(0, logits.length)
                .mapToDouble(i -> logits[i])
                .max()
                .orElseThrow();
        double[] weights = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            weights[i] = Math.exp((logits[i] - max) / sampling.temperature());
        }
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < logits.length; i++) {
            if (weights[i] >= sampling.minP() * (1 - 1e-12)) {
                order.add(i);
            }
        }
        order.sort(Comparator.<Integer>comparingDouble(id -> -logits[id]).thenComparing(id -> id));
        if (sampling.topK() > 0 && sampling.topK() < order.size()) {
            order = order.subList(0, sampling.topK());
        }
        double total = order.stream().mapToDouble(id -> weights[id]).sum();
        double[] kept = new double[logits.length];
        double mass = 0;
        double keptTotal = 0;
        for (int id : order) {
            if (mass >= sampling.topP() * total) {
                break;
            }
            mass += weights[id];
            kept[id] = weights[id];
            keptTotal += weights[id];
        }
        for (int i = 0; i < kept.length; i++) {
            kept[i] /= keptTotal;
        }
        return kept;
    }

    private static float[] randomLogits(Random random, int vocab, float deviation) {
        float[] logits = new float[vocab];
        for (int i = 0; i < vocab; i++) {
            logits[i] = (float) random.nextGaussian() * deviation;
        }
        return logits;
    }

    private static double uniform(long bits) {
        return (bits + 0.5) * 0x1p-53;
    }

    private static int sample(float[] logits, SamplingParameters sampling) {
        return new Sampler(logits.length).sample(logits, sampling, 0, null, NONE);
    }

    private static SamplingParameters parameters(float temperature, int topK, float topP, float minP) {
        return new SamplingParameters(1, temperature, topK, topP, minP, 1, 0, 0, Map.of(), Set.of(), 1234, false, 0);
    }
}
