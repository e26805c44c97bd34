package io.millrace.determinism;

import static io.millrace.determinism.RandomRequests.generate;
import static io.millrace.determinism.RandomRequests.prefill;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.determinism.ReplayEngine.Output;
import io.millrace.engine.SequenceRequest;
import io.millrace.kv.testing.Property;
import io.millrace.model.GeneratedModel;
import io.millrace.model.TensorType;
import io.millrace.reference.DemoModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A request has the same tokens, chosen from the same bits of logits, alone and in a batch, with cold and warm cache,
 * however its prefill is cut, when it is preempted, and when it goes on where another run stopped.
 */
class ReplayExactIT {
    private static final int[] CHUNKS = {1, 7, 32, 512};
    private static final int OTHERS = 16;
    private static final String WANTED = "wanted";

    @TempDir
    static Path directory;

    /** The lengths of a case's prompts and outputs. */
    private record Sizes(int minPrompt, int maxPrompt, int maxOtherPrompt, int maxOutput) {
        /** Blocks of the longest sequence that there can be. */
        int blocks(int blockSizeTokens) {
            return (Math.max(maxPrompt, maxOtherPrompt) + maxOutput + blockSizeTokens - 1) / blockSizeTokens;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "llama, F32, 100",
        "llama, Q4_1, 200",
        "qwen2, Q8_0, 300",
        "qwen2, Q4_0, 400",
        "qwen3, F16, 500",
        "qwen3, Q8_0, 600",
        "gemma3, F32, 700",
        "gemma3, Q5_1, 800"
    })
    void generatedModels(String architecture, TensorType weightType, long seed) throws Exception {
        Path file = directory.resolve(architecture + "-" + weightType + ".gguf");
        GeneratedModel.write(
                file, GeneratedModel.Options.tiny(architecture, seed).withWeightType(weightType));
        try (ReplayedModel model = new ReplayedModel(file, 400, 16, 1024)) {
            check(model, seed, 6, new Sizes(40, 300, 300, 40));
        }
    }

    @Test
    void demoModel() {
        try (ReplayedModel model = new ReplayedModel(DemoModel.require(), 120, 8, 512)) {
            model.warmUp();
            check(model, 901, 1, new Sizes(40, 80, 20, 20));
        }
    }

    private static void check(ReplayedModel model, long firstSeed, int cases, Sizes sizes) {
        long[] counts = new long[2];
        Property.forAll(firstSeed, cases, random -> {
            model.book().clear();
            Case one = new Case(model, random, sizes);
            one.coldAndWarm();
            one.afterItsPrefill();
            one.inAnyChunks();
            one.resumed();
            one.amongOthers();
            one.preempted();
            assertThat(model.book().firstDifference()).isEmpty();
            counts[0] += one.expected.tokens().size();
            counts[1] += one.preemptions;
        });
        System.out.println(cases + " requests with " + counts[0] + " tokens; preemptions: " + counts[1]
                + ", logits compared: " + model.book().comparedCount());
        // Otherwise the cases were not what they are meant to be.
        assertThat(counts[1]).isGreaterThanOrEqualTo(cases);
        assertThat(model.book().comparedCount()).isGreaterThan(7 * counts[0]);
    }

    /** One request and those beside it. */
    private static final class Case {
        private final ReplayedModel model;
        private final Random random;
        private final SequenceRequest wanted;
        private final List<SequenceRequest> all = new ArrayList<>();
        private final int longestBlocks;
        private Output expected = new Output(List.of(), null);
        private final Map<String, Output> together = new HashMap<>();
        private long preemptions;

        Case(ReplayedModel model, Random random, Sizes sizes) {
            this.model = model;
            this.random = random;
            longestBlocks = sizes.blocks(model.blockSizeTokens());
            RandomRequests requests = new RandomRequests(random, model.vocabSize(), sizes.maxOutput());
            int[] prompt = requests.prompt(sizes.minPrompt(), sizes.maxPrompt());
            wanted = generate(WANTED, prompt, new int[0], requests.sampling());
            for (int i = 0; i < OTHERS; i++) {
                int[] other = requests.prompt(1, sizes.maxOtherPrompt());
                if (i % 4 == 0) {
                    // Begins like the request, so that they share blocks.
                    int shared = random.nextInt(Math.min(other.length, prompt.length));
                    System.arraycopy(prompt, 0, other, 0, shared);
                }
                all.add(generate("other-" + i, other, new int[0], requests.sampling()));
            }
            all.add(random.nextInt(all.size() + 1), wanted);
        }

        void coldAndWarm() {
            try (ReplayEngine engine = model.engine(ReplayedModel.MAX_BATCH_TOKENS, model.blockCount())) {
                expected = engine.run(wanted);
                assertThat(expected.tokens()).isNotEmpty();
                assertThat(engine.cachedTokens(WANTED)).isZero();
                assertSame("warm", engine.run(renamed("again")));
                assertThat(engine.cachedTokens("again")).isEqualTo(shareableTokens());
            }
        }

        void afterItsPrefill() {
            try (ReplayEngine engine = model.engine(ReplayedModel.MAX_BATCH_TOKENS, model.blockCount())) {
                engine.run(prefill("prefill", wanted.promptTokens()));
                assertSame("after its prefill", engine.run(wanted));
                assertThat(engine.cachedTokens(WANTED)).isEqualTo(shareableTokens());
            }
        }

        void inAnyChunks() {
            for (int chunk : CHUNKS) {
                try (ReplayEngine engine = model.engine(chunk, model.blockCount())) {
                    assertSame("in chunks of " + chunk, engine.run(wanted));
                }
            }
        }

        void resumed() {
            int count = random.nextInt(expected.tokens().size());
            int[] begun = expected.tokens().stream()
                    .limit(count)
                    .mapToInt(Integer::intValue)
                    .toArray();
            try (ReplayEngine engine = model.engine(ReplayedModel.MAX_BATCH_TOKENS, model.blockCount())) {
                for (String id : List.of("cold", "warm")) {
                    Output rest = engine.run(generate(id, wanted.promptTokens(), begun, wanted.sampling()));
                    List<Integer> tokens = new ArrayList<>(expected.tokens().subList(0, count));
                    tokens.addAll(rest.tokens());
                    assertSame("resumed " + id + " after " + count, new Output(tokens, rest.reason()));
                }
            }
        }

        void amongOthers() {
            int maxBatchTokens = 24 + random.nextInt(ReplayedModel.MAX_BATCH_TOKENS - 24);
            try (ReplayEngine engine = model.engine(maxBatchTokens, model.blockCount())) {
                runAll(engine);
                for (SequenceRequest request : all) {
                    together.put(request.sequenceId(), engine.await(request.sequenceId()));
                }
            }
            assertSame("among others, " + maxBatchTokens + " tokens a batch", together.get(WANTED));
        }

        /** Several fit at a time, but not with all that they generate. */
        void preempted() {
            int blocks = longestBlocks * 2 + random.nextInt(longestBlocks);
            try (ReplayEngine engine = model.engine(ReplayedModel.MAX_BATCH_TOKENS, blocks)) {
                runAll(engine);
                for (SequenceRequest request : all) {
                    assertThat(engine.await(request.sequenceId()))
                            .as("%s with %s blocks", request.sequenceId(), blocks)
                            .isEqualTo(together.get(request.sequenceId()));
                }
                preemptions = engine.preemptions();
            }
        }

        private void runAll(ReplayEngine engine) {
            for (SequenceRequest request : all) {
                engine.submit(request);
                for (int steps = random.nextInt(3); steps > 0; steps--) {
                    engine.step();
                }
            }
        }

        private SequenceRequest renamed(String id) {
            return generate(id, wanted.promptTokens(), new int[0], wanted.sampling());
        }

        private int shareableTokens() {
            return (wanted.promptTokens().length - 1) / model.blockSizeTokens() * model.blockSizeTokens();
        }

        private void assertSame(String how, Output output) {
            assertThat(output).as(how).isEqualTo(expected);
        }
    }
}
