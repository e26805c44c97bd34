package io.millrace.engine;

import static io.millrace.engine.testing.TestingRequests.generate;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.SequenceEvent.Failed;
import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.engine.SequenceEvent.Finished;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.speculation.DrafterKind;
import io.millrace.engine.testing.TestingConstraint;
import io.millrace.engine.testing.TestingListener;
import io.millrace.engine.testing.TestingLogits;
import io.millrace.engine.testing.TestingModelInstance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Output with guesses is output without, whatever happens. */
class SpeculationTest {
    private static final int VOCAB = 60;
    private static final int END = 59;
    private static final int PROMPTS = 500;
    private static final int BLOCK_SIZE = 4;
    private static final int MODEL_TOKENS = 128;

    private static final SpeculationParameters LOOKUP = new SpeculationParameters(Set.of(DrafterKind.LOOKUP), 9);
    private static final SpeculationParameters CONSTRAINT =
            new SpeculationParameters(Set.of(DrafterKind.CONSTRAINT), 9);
    private static final SpeculationParameters MODEL = new SpeculationParameters(Set.of(DrafterKind.MODEL), 9);
    private static final SpeculationParameters ALL = SpeculationParameters.ALL;

    @Test
    void lookup() {
        check(LOOKUP, new Setup(200, 64, 16, 1));
    }

    @Test
    void constraint() {
        check(CONSTRAINT, new Setup(200, 64, 16, 2));
    }

    @Test
    void model() {
        check(MODEL, new Setup(200, 64, 16, 7));
    }

    @Test
    void modelAndConstraint() {
        check(
                new SpeculationParameters(Set.of(DrafterKind.MODEL, DrafterKind.CONSTRAINT), 5),
                new Setup(200, 64, 8, 8));
    }

    @Test
    void aDraftModelThatFailsHarmsNobody() {
        Map<String, SequenceRequest> requests = requests(9);
        Setup setup = new Setup(200, 64, 16, 9);
        TestingModelInstance draft = draftInstance();
        Random random = new Random(9);
        draft.observe(batch -> {
            if (random.nextInt(30) == 0) {
                throw new IllegalStateException("the draft model's device is lost, on purpose");
            }
        });
        assertThat(outputs(requests, MODEL, setup, batch -> {}, null, draft))
                .isEqualTo(outputs(requests, SpeculationParameters.OFF, setup, batch -> {}, null, null));
        assertThat(draft.isClosed()).isTrue();
    }

    @Test
    void aDraftModelHasTheSameVocabulary() {
        DraftModel other =
                new DraftModel(new TestingModelInstance(VOCAB + 1, 8, 4, TestingLogits.HASHED), () -> {}, 8, 2, 32);
        TestingModelInstance instance = new TestingModelInstance(VOCAB, 8, 4, TestingLogits.HASHED);
        assertThatThrownBy(() -> new Engine(EngineOptions.of("testing", Set.of(), 32), instance, () -> {}, other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a vocabulary of 61 tokens, and the model one of 60");
    }

    @Test
    void allInOneBatchAfterTheOther() {
        check(ALL, new Setup(200, 64, 1, 3));
    }

    @Test
    void allInLargeBatches() {
        check(ALL, new Setup(400, 256, 32, 4));
    }

    @Test
    void allWhereBlocksAreFew() {
        EngineStats stats = check(ALL, new Setup(40, 64, 16, 5));
        assertThat(stats.preemptions()).isGreaterThan(100);
    }

    @Test
    void allWhereTheDeviceIsLostNowAndThen() {
        Random random = new Random(17);
        EngineStats stats = check(ALL, new Setup(200, 64, 16, 6), batch -> {
            if (random.nextInt(40) == 0) {
                throw new IllegalStateException("device lost, on purpose");
            }
        });
        assertThat(stats.failedSequences()).isGreaterThan(100);
    }

    @Test
    void endsWhereItWouldHaveEndedInTheMiddleOfAGuess() {
        // The prompt goes round, and so does the output: guesses come true.
        int[] prompt = new int[40];
        for (int i = 0; i < prompt.length; i++) {
            prompt[i] = i % 8;
        }
        TestingLogits round = (tokens, count, target) -> {
            Arrays.fill(target, 0);
            target[(tokens[count - 1] + 1) % 8] = 10;
        };
        for (int tokens = 1; tokens < 20; tokens++) {
            TestingModelInstance instance = new TestingModelInstance(VOCAB, 64, BLOCK_SIZE, round);
            try (Engine engine = new Engine(options(new Setup(64, 64, 4, 0), 20), instance, () -> {})) {
                TestingListener listener = new TestingListener();
                EngineLease lease = engine.lease("test", listener, 1000);
                int stopAt = tokens;
                int[] seen = {0};
                lease.submit(generate("length", prompt, SamplingParameters.greedy(tokens))
                        .withSpeculation(LOOKUP));
                lease.submit(withStop("stop", prompt, tokenId -> ++seen[0] == stopAt));
                run(engine);
                assertThat(listener.tokens("length")).hasSize(tokens);
                assertThat(listener.lastEvent("length"))
                        .isEqualTo(new Finished("length", FinishReason.LENGTH, 0, tokens));
                assertThat(listener.tokens("stop")).isEqualTo(listener.tokens("length"));
                assertThat(((Finished) listener.lastEvent("stop")).reason()).isEqualTo(FinishReason.STOP_CONDITION);
                assertThat(seen[0]).isEqualTo(tokens);
                assertThat(engine.stats().outputTokens()).isEqualTo(2L * tokens);
            }
        }
    }

    @Test
    void takesFewerStepsWhereTextIsCopied() {
        TestingModelInstance instance = new TestingModelInstance(300, 64, BLOCK_SIZE, TestingLogits.counting());
        try (Engine engine = new Engine(options(new Setup(64, 256, 4, 0), 20), instance, () -> {})) {
            TestingListener listener = new TestingListener();
            EngineLease lease = engine.lease("test", listener, 1000);
            int[] prompt = new int[60];
            for (int i = 0; i < prompt.length; i++) {
                prompt[i] = i < 50 ? i + 100 : i + 50;
            }
            lease.submit(generate("a", prompt, SamplingParameters.greedy(30)).withSpeculation(LOOKUP));
            run(engine);
            assertThat(listener.tokens("a")).hasSize(30).startsWith(110, 111).endsWith(139);
            assertThat(engine.stats().stepCount()).isEqualTo(3);
            assertThat(engine.stats().speculation().lookup()).isEqualTo(new SpeculationStats.Drafted(27, 27));
        }
    }

    /** How an engine is made, and the seed of its requests. */
    private record Setup(int blocks, int maxBatchTokens, int maxBatchSequences, long seed) {}

    private static EngineStats check(SpeculationParameters speculation, Setup setup) {
        return check(speculation, setup, batch -> {});
    }

    private static EngineStats check(SpeculationParameters speculation, Setup setup, Consumer<Batch> observer) {
        Map<String, SequenceRequest> requests = requests(setup.seed());
        Map<String, List<Integer>> expected =
                outputs(requests, SpeculationParameters.OFF, setup, batch -> {}, null, null);
        EngineStats[] stats = new EngineStats[1];
        boolean drafts = speculation.drafters().contains(DrafterKind.MODEL);
        Map<String, List<Integer>> actual =
                outputs(requests, speculation, setup, observer, stats, drafts ? draftInstance() : null);
        assertThat(actual).as("seed %d", setup.seed()).isEqualTo(expected);
        assertThat(actual).hasSize(PROMPTS);
        SpeculationStats counts = stats[0].speculation();
        for (SpeculationStats.Drafted drafted : drafted(counts, speculation)) {
            assertThat(drafted.acceptedTokens()).isGreaterThan(200);
            assertThat(drafted.draftedTokens()).isGreaterThan(drafted.acceptedTokens());
        }
        return stats[0];
    }

    private static List<SpeculationStats.Drafted> drafted(SpeculationStats counts, SpeculationParameters parameters) {
        List<SpeculationStats.Drafted> drafted = new ArrayList<>();
        if (parameters.drafters().contains(DrafterKind.LOOKUP)) {
            drafted.add(counts.lookup());
        }
        if (parameters.drafters().contains(DrafterKind.CONSTRAINT)) {
            drafted.add(counts.constraint());
        }
        if (parameters.drafters().contains(DrafterKind.MODEL)) {
            drafted.add(counts.model());
        }
        return drafted;
    }

    /** A model that mostly says what the other says, with blocks for a few sequences only. */
    private static TestingModelInstance draftInstance() {
        TestingLogits mostly = (tokens, count, target) -> {
            TestingLogits.REPEATING.compute(tokens, count, target);
            if (count % 4 == 0) {
                target[count % VOCAB] += 50;
            }
        };
        return new TestingModelInstance(VOCAB, 40, 8, mostly);
    }

    /** Greedy and at temperature 1, with penalties, stop conditions, constraints and least tokens, and without. */
    private static Map<String, SequenceRequest> requests(long seed) {
        Random random = new Random(seed);
        Map<String, SequenceRequest> requests = new HashMap<>();
        for (int i = 0; i < PROMPTS; i++) {
            int[] prompt = new int[1 + random.nextInt(50)];
            for (int j = 0; j < prompt.length; j++) {
                prompt[j] = j > 9 && random.nextInt(6) > 0 ? prompt[j - 9] : random.nextInt(VOCAB - 1);
            }
            boolean penalised = random.nextInt(3) == 0;
            SamplingParameters sampling = new SamplingParameters(
                    1 + random.nextInt(60),
                    i % 2,
                    random.nextInt(4) == 0 ? 5 : 0,
                    random.nextInt(4) == 0 ? 0.8f : 1,
                    0,
                    penalised ? 1.2f : 1,
                    penalised ? 0.1f : 0,
                    penalised ? 0.3f : 0,
                    random.nextInt(3) == 0 ? Map.of(random.nextInt(VOCAB), 3f) : Map.of(),
                    Set.of(),
                    random.nextLong(),
                    random.nextInt(4) == 0,
                    random.nextInt(4) == 0 ? 12 : 0);
            Constraint constraint = random.nextInt(2) == 0 ? null : TestingConstraint.start(VOCAB, seed * 1000 + i);
            requests.put("s" + i, generate("s" + i, prompt, sampling).withConstraint(constraint));
        }
        return requests;
    }

    private static Map<String, List<Integer>> outputs(
            Map<String, SequenceRequest> requests,
            SpeculationParameters speculation,
            Setup setup,
            Consumer<Batch> observer,
            EngineStats @Nullable [] stats,
            @Nullable TestingModelInstance draft) {
        TestingModelInstance instance =
                new TestingModelInstance(VOCAB, setup.blocks(), BLOCK_SIZE, TestingLogits.REPEATING);
        instance.observe(observer);
        if (speculation.isOn() && setup.seed() % 2 == 1) {
            // Of some runs the device chooses the tokens, and those of the draft model.
            instance.sampling();
            if (draft != null) {
                draft.sampling();
            }
        }
        Map<String, List<Integer>> outputs = new HashMap<>();
        Set<String> ended = new HashSet<>();
        DraftModel draftModel = draft == null ? null : new DraftModel(draft, () -> {}, 30, 10, 90);
        try (Engine engine = new Engine(options(setup, 64), instance, () -> {}, draftModel)) {
            for (int attempt = 0; ended.size() < requests.size(); attempt++) {
                assertThat(attempt).isLessThan(500);
                TestingListener listener = new TestingListener();
                EngineLease lease = engine.lease("attempt" + attempt, listener, Integer.MAX_VALUE);
                for (String id : requests.keySet()) {
                    if (!ended.contains(id)) {
                        List<Integer> part = outputs.getOrDefault(id, List.of());
                        SequenceRequest request = resumed(requests.get(id), part, speculation);
                        assertThat(lease.submit(request)).isEqualTo(Admission.ACCEPTED);
                    }
                }
                run(engine);
                for (String id : requests.keySet()) {
                    if (!ended.contains(id)) {
                        outputs.computeIfAbsent(id, none -> new ArrayList<>()).addAll(listener.tokens(id));
                        if (!(listener.lastEvent(id) instanceof Failed)) {
                            ended.add(id);
                        }
                    }
                }
            }
            assertThat(engine.stats().blocks().usedBlocks()).isZero();
            if (stats != null) {
                stats[0] = engine.stats();
            }
        }
        return outputs;
    }

    private static SequenceRequest resumed(
            SequenceRequest request, List<Integer> generated, SpeculationParameters speculation) {
        return new SequenceRequest(
                request.sequenceId(),
                request.sessionId(),
                request.purpose(),
                request.promptTokens(),
                generated.stream().mapToInt(Integer::intValue).toArray(),
                request.sampling(),
                request.cacheSalt(),
                request.priority(),
                request.arrivalNanos(),
                tokenId -> tokenId == 33,
                null,
                request.constraint(),
                speculation);
    }

    private static SequenceRequest withStop(String id, int[] prompt, StopCondition stopCondition) {
        return new SequenceRequest(
                id,
                id,
                SequenceRequest.Purpose.GENERATE,
                prompt,
                new int[0],
                SamplingParameters.greedy(40),
                "",
                0,
                0,
                stopCondition,
                null,
                null,
                LOOKUP);
    }

    private static EngineOptions options(Setup setup, int maxDraftRows) {
        return EngineOptions.of("testing", Set.of(END), MODEL_TOKENS)
                .withLimits(setup.maxBatchTokens(), setup.maxBatchSequences(), 1000)
                .withSpeculation(new SpeculationOptions(maxDraftRows, false, Runnable::run));
    }

    private static void run(Engine engine) {
        for (int step = 0; engine.doWork() > 0; step++) {
            engine.checkIntegrity();
            assertThat(step).isLessThan(100_000);
        }
        engine.checkIntegrity();
    }
}
