package io.millrace.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Admission;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineOptions;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.engine.backend.PlainSampler;
import io.millrace.engine.backend.SamplingNoise;
import io.millrace.engine.testing.TestingListener;
import io.millrace.engine.testing.TestingReference;
import io.millrace.engine.testing.TestingRequests;
import io.millrace.model.GeneratedModel;
import io.millrace.model.GgufModel;
import io.millrace.model.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the backend must do on any device: the reference's logits within the arithmetic's tolerance, and one result. */
abstract class BackendChecks {
    /**
     * Largest error of all logits together, relative to their size. Elements of bf16 have 8 bits, those of f16 have 11;
     * a model's few layers add up their rounding errors.
     */
    private static final double TOLERANCE_BF16 = 0.04;

    private static final double TOLERANCE_F16 = 0.006;
    private static final int VOCABULARY = 517;
    private static final int PROMPT = 100;
    private static final String DEMO_MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf";

    @TempDir
    Path folder;

    abstract CudaBackend backend();

    @ParameterizedTest
    @CsvSource({
        "llama, bf16, 64, 8, 1", "llama, f16, 80, 3, 3", "qwen2, bf16, 80, 6, 2", "qwen2, f16, 128, 5, 1",
        "qwen3, bf16, 96, 4, 2", "qwen3, f16, 64, 7, 1", "gemma3, bf16, 128, 2, 1", "gemma3, f16, 16, 4, 2",
    })
    void logitsAreTheReferences(String architecture, String operand, int headDim, int heads, int kvHeads)
            throws IOException {
        GeneratedModel.Options options = GeneratedModel.Options.tiny(architecture, 3)
                .withShape(2, 96, 168, heads, kvHeads, headDim)
                .withLimits(VOCABULARY, 1024);
        double tolerance = operand.equals("f16") ? TOLERANCE_F16 : TOLERANCE_BF16;
        try (GgufModel model = TestingModels.generate(folder, options);
                ModelInstance reference = TestingModels.reference(model);
                ModelInstance tested = load(model, Map.of("operand", operand))) {
            for (int length : new int[] {1, 31, 32, 33, 600}) {
                assertThat(relativeError(reference, tested, limits(model), length))
                        .as("%d tokens", length)
                        .isLessThan(tolerance);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(TensorType.class)
    void weightsOfEveryTypeAreTheReferences(TensorType type) throws IOException {
        GeneratedModel.Options options = GeneratedModel.Options.tiny("llama", 7)
                .withShape(2, 256, 512, 4, 2, 64)
                .withTiedOutput(type.ordinal() % 2 == 0)
                .withWeightType(type);
        try (GgufModel model = TestingModels.generate(folder, options);
                ModelInstance reference = TestingModels.reference(model);
                ModelInstance tested = load(model, Map.of("operand", "f16"))) {
            assertThat(relativeError(reference, tested, limits(model), 40)).isLessThan(TOLERANCE_F16);
        }
    }

    private static double relativeError(ModelInstance reference, ModelInstance tested, Limits limits, int length) {
        int[] tokens =
                TestingModels.tokens(length, length, reference.modelSpec().vocabSize());
        TestingSequences expecting = new TestingSequences(limits, reference);
        TestingSequences testing = new TestingSequences(limits, tested);
        float[] expected = expecting.prefill(expecting.newSequence(), tokens, 512);
        float[] actual = testing.prefill(testing.newSequence(), tokens, 512);
        double errors = 0;
        double squares = 0;
        for (int i = 0; i < expected.length; i++) {
            errors += Math.pow(expected[i] - actual[i], 2);
            squares += Math.pow(expected[i], 2);
        }
        return Math.sqrt(errors / squares);
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen3", "gemma3"})
    void chunksAndGraphsGiveTheSameBits(String architecture) throws IOException {
        try (GgufModel model = TestingModels.generate(folder, wide(architecture))) {
            float[] expected = run(model, Map.of(), 500);
            for (int chunk : new int[] {1, 32}) {
                assertThat(run(model, Map.of(), chunk))
                        .as("chunks of %d", chunk)
                        .containsExactly(expected);
            }
            assertThat(run(model, Map.of("graphs", "false"), 1))
                    .as("chunks of 1 without graphs")
                    .containsExactly(expected);
        }
    }

    private float[] run(GgufModel model, Map<String, String> parameters, int chunk) {
        try (ModelInstance instance = load(model, parameters)) {
            TestingSequences sequences = new TestingSequences(limits(model), instance);
            return sequences.prefill(sequences.newSequence(), TestingModels.tokens(1, PROMPT, VOCABULARY), chunk);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 16, 64})
    void otherRowsOfTheBatchChangeNothing(int rows) throws IOException {
        try (GgufModel model = TestingModels.generate(folder, wide("llama"))) {
            float[] alone = run(model, Map.of(), 500);
            try (ModelInstance instance = load(model, Map.of())) {
                TestingSequences sequences = new TestingSequences(limits(model), instance);
                int[] tokens = TestingModels.tokens(1, PROMPT, VOCABULARY);
                TestingSequences.Sequence subject = sequences.newSequence();
                TestingSequences.Sequence[] others = new TestingSequences.Sequence[rows - 1];
                Arrays.setAll(others, i -> sequences.newSequence());
                sequences.prefill(subject, Arrays.copyOf(tokens, PROMPT - 2), 500);
                int row = 0;
                // The subject decodes twice: while the others prefill some tokens, and while they decode.
                for (int from = PROMPT - 2; from < PROMPT; from++) {
                    sequences.begin();
                    for (int i = 0; i < others.length; i++) {
                        int count = from == PROMPT - 2 ? 1 + i * 5 % 13 : 1;
                        sequences.add(others[i], tokens, others[i].length, others[i].length + count);
                        if (i == others.length / 2) {
                            row = sequences.add(subject, tokens, from, from + 1);
                        }
                    }
                    sequences.run();
                }
                assertThat(sequences.result.logits[row]).containsExactly(alone);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"heap", "direct", "page-locked"})
    void blocksThatWentToTheHostAndBackChangeNothing(String kind) throws IOException {
        try (GgufModel model = TestingModels.generate(folder, wide("qwen3"))) {
            float[] expected = run(model, Map.of(), 500);
            try (ModelInstance instance = load(model, Map.of())) {
                TestingSequences sequences = new TestingSequences(limits(model), instance);
                int[] tokens = TestingModels.tokens(1, PROMPT, VOCABULARY);
                TestingSequences.Sequence sequence = sequences.newSequence();
                sequences.prefill(sequence, Arrays.copyOf(tokens, PROMPT - 1), 500);
                int bytes = instance.kvLayout().blockBytes();
                ByteBuffer memory =
                        kind.equals("heap") ? ByteBuffer.allocate(bytes + 64) : ByteBuffer.allocateDirect(bytes + 64);
                Runnable unlock = kind.equals("page-locked") ? instance.pageLock(List.of(memory)) : () -> {};
                for (int i = 0; i < sequence.blocks.size(); i++) {
                    memory.clear().position(16);
                    instance.readBlock(sequence.blocks.get(i), memory);
                    assertThat(memory.position()).isEqualTo(16 + bytes);
                    int moved = TestingModels.BLOCKS - 1 - i;
                    instance.writeBlock(moved, memory.flip().position(16));
                    instance.writeBlock(sequence.blocks.get(i), ByteBuffer.allocate(bytes));
                    sequence.blocks.set(i, moved);
                }
                unlock.run();
                assertThat(sequences.decode(sequence, tokens[PROMPT - 1])).containsExactly(expected);
            }
        }
    }

    @Test
    void theDemoModelSaysWhatItSaysOnTheReference() {
        Path file = demoModel();
        // "The capital of France is"
        int[] prompt = {504, 3575, 282, 4649, 314};
        try (GgufModel model = GgufModel.open(file);
                ModelInstance reference = TestingModels.reference(model);
                ModelInstance tested = load(model, Map.of())) {
            assertThat(greedy(tested, limits(model), prompt)).isEqualTo(greedy(reference, limits(model), prompt));
        }
    }

    private static List<Integer> greedy(ModelInstance instance, Limits limits, int[] prompt) {
        TestingSequences sequences = new TestingSequences(limits, instance);
        TestingSequences.Sequence sequence = sequences.newSequence();
        List<Integer> tokens = new ArrayList<>();
        tokens.add(TestingSequences.argmax(sequences.prefill(sequence, prompt, 64)));
        while (tokens.size() < 4) {
            tokens.add(TestingSequences.argmax(sequences.decode(sequence, tokens.get(tokens.size() - 1))));
        }
        return tokens;
    }

    private static Path demoModel() {
        String home =
                System.getenv().getOrDefault("MILLRACE_HOME", System.getProperty("user.home") + "/.cache/millrace");
        String given = System.getProperty("millrace.demo.model");
        Path file = given == null ? Path.of(home, "models", DEMO_MODEL) : Path.of(given);
        if (!Files.isRegularFile(file)) {
            String reason = "the demo model is not there: `./millrace model` fetches it (" + file + ")";
            if ("1".equals(System.getenv("MILLRACE_REQUIRE_MODEL"))) {
                Assertions.fail(reason);
            }
            System.out.println("skipped: " + reason);
            Assumptions.abort(reason);
        }
        return file;
    }

    @Test
    void tokensAreThoseThatTheHostWouldChoose() throws IOException {
        try (GgufModel model = TestingModels.generate(folder, wide("llama"));
                ModelInstance instance = load(model, Map.of())) {
            TestingSequences sequences = new TestingSequences(limits(model), instance);
            Batch batch = sequences.begin().batch;
            int rows = 12;
            for (int i = 0; i < rows; i++) {
                sequences.add(sequences.newSequence(), TestingModels.tokens(i, 5, VOCABULARY), 0, 5);
            }
            sequences.run();
            for (int row = 0; row < rows; row++) {
                batch.sampling[row] = row % 3;
                batch.scales[row] = 1 / (0.5 + 0.2 * row);
                batch.minLogitOffsets[row] = PlainSampler.minLogitOffset(1, row % 2 == 0 ? 0 : 0.05f);
                batch.noiseKeys[row] = SamplingNoise.key(row, 3);
            }
            int[] expected = new int[rows];
            for (int row = 0; row < rows; row++) {
                float[] logits = sequences.result.logits[row];
                expected[row] = batch.sampling[row] == Batch.HOST
                        ? TestingSequences.argmax(logits)
                        : PlainSampler.choose(logits, batch, row);
                Arrays.fill(sequences.result.logits[row], 0f);
            }
            sequences.run();
            for (int row = 0; row < rows; row++) {
                int token = row % 3 == Batch.HOST
                        ? TestingSequences.argmax(sequences.result.logits[row])
                        : sequences.result.tokenIds[row];
                assertThat(token).as("row %d", row).isEqualTo(expected[row]);
            }
        }
    }

    @Test
    void anEngineGivesEachTurnTheTokensThatItHasAlone() throws IOException {
        GgufModel model = TestingModels.generate(folder, wide("llama"));
        EngineOptions options = EngineOptions.of("testing", Set.of(), 200).withLimits(48, 6, 16);
        try (TestingReference alone = new TestingReference(load(model, Map.of("graphs", "false")), 512, 200);
                Engine engine = new Engine(options, load(model, Map.of()), model)) {
            TestingListener listener = new TestingListener();
            EngineLease lease = engine.lease("testing", listener, Integer.MAX_VALUE);
            Map<String, List<Integer>> expected = new HashMap<>();
            for (int i = 0; i < 10; i++) {
                // Some begin alike, so that they share blocks.
                int[] prompt = TestingModels.tokens(i / 3, 20 + 9 * i, VOCABULARY);
                // Greedy, and with noise, on the device; from the likeliest ten on the host.
                SamplingParameters sampling = new SamplingParameters(
                        6, i % 2, i % 3 == 2 ? 10 : 0, 1, 0, 1, 0, 0, Map.of(), Set.of(), i, false, 0);
                assertThat(lease.submit(TestingRequests.generate("s" + i, prompt, sampling)))
                        .isEqualTo(Admission.ACCEPTED);
                expected.put("s" + i, alone.output(prompt, sampling));
            }
            while (engine.doWork() > 0) {
                engine.checkIntegrity();
            }
            expected.forEach((id, tokens) ->
                    assertThat(listener.tokens(id)).as(id).hasSize(6).isEqualTo(tokens));
        }
    }

    ModelInstance load(GgufModel model, Map<String, String> parameters) {
        return backend().load(TestingModels.spec(model, parameters));
    }

    static Limits limits(GgufModel model) {
        InstanceSpec spec = TestingModels.spec(model, Map.of());
        return Limits.of(spec);
    }

    static GeneratedModel.Options wide(String architecture) {
        return GeneratedModel.Options.tiny(architecture, 11)
                .withShape(2, 96, 160, 6, 2, 64)
                .withLimits(VOCABULARY, 1024);
    }
}
