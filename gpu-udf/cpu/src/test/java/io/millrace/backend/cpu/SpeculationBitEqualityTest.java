package io.millrace.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Admission;
import io.millrace.engine.Constraint;
import io.millrace.engine.DraftModel;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineOptions;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceEvent.Failed;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.SpeculationOptions;
import io.millrace.engine.SpeculationParameters;
import io.millrace.engine.SpeculationStats;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.engine.speculation.DrafterKind;
import io.millrace.engine.testing.ForwardingInstance;
import io.millrace.engine.testing.TestingConstraint;
import io.millrace.engine.testing.TestingListener;
import io.millrace.model.GeneratedModel;
import io.millrace.model.GgufModel;
import io.millrace.model.ModelCopy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real numbers: 500 outputs with each drafter, and with all of them, are those without, while the device fails. */
class SpeculationBitEqualityTest {
    private static final int PROMPTS = 500;
    private static final int VOCAB = 512;
    private static final int MODEL_TOKENS = 160;

    @TempDir
    static Path folder;

    private static Path large;
    private static Path small;
    private static Map<String, List<Integer>> expected;

    @BeforeAll
    static void computesPlainly() throws IOException {
        large = folder.resolve("large.gguf");
        small = folder.resolve("small.gguf");
        GeneratedModel.write(large, GeneratedModel.Options.tiny("llama", 31).withShape(4, 64, 96, 4, 2, 16));
        ModelCopy.firstLayers(large, small, 2);
        expected = outputs(SpeculationParameters.OFF, new SpeculationStats[1]);
        assertThat(expected).hasSize(PROMPTS);
    }

    @Test
    void lookup() {
        check(EnumSet.of(DrafterKind.LOOKUP));
    }

    @Test
    void constraint() {
        check(EnumSet.of(DrafterKind.CONSTRAINT));
    }

    @Test
    void model() {
        check(EnumSet.of(DrafterKind.MODEL));
    }

    @Test
    void allTogether() {
        check(EnumSet.allOf(DrafterKind.class));
    }

    private static void check(Set<DrafterKind> kinds) {
        SpeculationStats[] stats = new SpeculationStats[1];
        assertThat(outputs(new SpeculationParameters(kinds, 8), stats)).isEqualTo(expected);
        check(kinds.contains(DrafterKind.LOOKUP), stats[0].lookup());
        check(kinds.contains(DrafterKind.CONSTRAINT), stats[0].constraint());
        check(kinds.contains(DrafterKind.MODEL), stats[0].model());
    }

    private static void check(boolean asked, SpeculationStats.Drafted drafted) {
        if (asked) {
            assertThat(drafted.acceptedTokens()).isGreaterThan(20);
            assertThat(drafted.draftedTokens()).isGreaterThan(drafted.acceptedTokens());
        } else {
            assertThat(drafted).isEqualTo(SpeculationStats.Drafted.NONE);
        }
    }

    /** Outputs of sequences that are submitted again, with what they have, until each has ended well. */
    private static Map<String, List<Integer>> outputs(SpeculationParameters speculation, SpeculationStats[] stats) {
        GgufModel file = GgufModel.open(large);
        GgufModel draftFile = GgufModel.open(small);
        InstanceSpec spec = new InstanceSpec(file, 60, 16, 128, 16, MODEL_TOKENS, 0, 2);
        InstanceSpec draftSpec = new InstanceSpec(draftFile, 60, 16, 64, 12, MODEL_TOKENS, 0, 1);
        ModelInstance draft = TestingModels.load(draftSpec, TestingModels.vector());
        ModelInstance instance = new Unreliable(TestingModels.load(spec, TestingModels.vector()));
        EngineOptions options = EngineOptions.of("testing", Set.of(2), MODEL_TOKENS)
                .withLimits(128, 16, PROMPTS)
                .withSpeculation(new SpeculationOptions(40, false, Runnable::run));
        Map<String, List<Integer>> outputs = new HashMap<>();
        try (Engine engine =
                new Engine(options, instance, file, new DraftModel(draft, draftFile, 64, 12, MODEL_TOKENS))) {
            Set<String> ended = new HashSet<>();
            for (int attempt = 0; ended.size() < PROMPTS; attempt++) {
                assertThat(attempt).isLessThan(200);
                TestingListener listener = new TestingListener();
                EngineLease lease = engine.lease("attempt" + attempt, listener, Integer.MAX_VALUE);
                for (int i = 0; i < PROMPTS; i++) {
                    List<Integer> part = outputs.computeIfAbsent("s" + i, none -> new ArrayList<>());
                    if (!ended.contains("s" + i)) {
                        assertThat(lease.submit(request(i, part, speculation))).isEqualTo(Admission.ACCEPTED);
                    }
                }
                while (engine.doWork() > 0) {
                    engine.checkIntegrity();
                }
                for (int i = 0; i < PROMPTS; i++) {
                    if (!ended.contains("s" + i)) {
                        outputs.getOrDefault("s" + i, List.of()).addAll(listener.tokens("s" + i));
                        if (!(listener.lastEvent("s" + i) instanceof Failed)) {
                            ended.add("s" + i);
                        }
                    }
                }
            }
            stats[0] = engine.stats().speculation();
            assertThat(engine.stats().failedSequences()).isGreaterThan(10);
            assertThat(engine.stats().blocks().usedBlocks()).isZero();
        }
        return outputs;
    }

    private static SequenceRequest request(int i, List<Integer> generated, SpeculationParameters speculation) {
        Random random = new Random(i);
        int[] prompt = new int[1 + random.nextInt(70)];
        for (int j = 0; j < prompt.length; j++) {
            prompt[j] = j > 7 && random.nextInt(8) > 0 ? prompt[j - 7] : random.nextInt(VOCAB);
        }
        boolean penalised = random.nextInt(4) == 0;
        SamplingParameters sampling = new SamplingParameters(
                1 + random.nextInt(30),
                i % 2,
                random.nextInt(4) == 0 ? 20 : 0,
                random.nextInt(4) == 0 ? 0.9f : 1,
                0,
                penalised ? 1.1f : 1,
                penalised ? 0.1f : 0,
                penalised ? 0.1f : 0,
                Map.of(),
                Set.of(),
                random.nextLong(),
                false,
                random.nextInt(4) == 0 ? 9 : 0);
        Constraint constraint = random.nextInt(3) == 0 ? TestingConstraint.start(VOCAB, i) : null;
        return new SequenceRequest(
                "s" + i,
                "s" + i,
                SequenceRequest.Purpose.GENERATE,
                prompt,
                generated.stream().mapToInt(Integer::intValue).toArray(),
                sampling,
                "",
                0,
                0,
                tokenId -> tokenId == 77,
                null,
                constraint,
                speculation);
    }

    /** A device that is lost every now and then. */
    private static final class Unreliable extends ForwardingInstance {
        private final Random random = new Random(5);

        Unreliable(ModelInstance instance) {
            super(instance);
        }

        @Override
        public void execute(Batch batch, ForwardResult result) {
            if (random.nextInt(60) == 0) {
                throw new IllegalStateException("the device is lost, on purpose");
            }
            super.execute(batch, result);
        }
    }
}
