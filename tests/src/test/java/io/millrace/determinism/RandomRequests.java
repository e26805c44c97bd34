package io.millrace.determinism;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StopCondition;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Draws prompts and sampling parameters: each filter and each penalty is on in some, and off in others. */
final class RandomRequests {
    private final Random random;
    private final int vocabSize;
    private final int maxTokens;

    RandomRequests(Random random, int vocabSize, int maxTokens) {
        this.random = requireNonNull(random, "random");
        this.vocabSize = vocabSize;
        this.maxTokens = maxTokens;
    }

    int[] prompt(int minTokens, int maxTokens) {
        int[] prompt = new int[minTokens + random.nextInt(maxTokens - minTokens + 1)];
        Arrays.setAll(prompt, i -> random.nextInt(vocabSize));
        return prompt;
    }

    SamplingParameters sampling() {
        boolean greedy = random.nextInt(3) == 0;
        Map<Integer, Float> bias = new HashMap<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            bias.put(random.nextInt(vocabSize), between(-4, 4));
        }
        return new SamplingParameters(
                maxTokens / 2 + random.nextInt(maxTokens / 2 + 1),
                greedy ? 0 : between(0.2f, 2),
                random.nextBoolean() ? 0 : 1 + random.nextInt(60),
                random.nextBoolean() ? 1 : between(0.3f, 1),
                random.nextBoolean() ? 0 : between(0, 0.2f),
                random.nextBoolean() ? 1 : between(0.8f, 1.5f),
                random.nextBoolean() ? 0 : between(-1, 2),
                random.nextBoolean() ? 0 : between(-1, 2),
                bias,
                random.nextInt(4) == 0 ? Set.of(random.nextInt(vocabSize)) : Set.of(),
                random.nextLong(),
                random.nextBoolean(),
                random.nextInt(4) == 0 ? maxTokens / 4 : 0);
    }

    static SequenceRequest generate(String id, int[] prompt, int[] generated, SamplingParameters sampling) {
        return request(id, SequenceRequest.Purpose.GENERATE, prompt, generated, sampling);
    }

    static SequenceRequest prefill(String id, int[] prompt) {
        return request(id, SequenceRequest.Purpose.PREFILL, prompt, new int[0], SamplingParameters.greedy(1));
    }

    private static SequenceRequest request(
            String id, SequenceRequest.Purpose purpose, int[] prompt, int[] generated, SamplingParameters sampling) {
        return new SequenceRequest(id, id, purpose, prompt, generated, sampling, "", 0, 0, StopCondition.NEVER, null);
    }

    private float between(float low, float high) {
        return low + random.nextFloat() * (high - low);
    }
}
