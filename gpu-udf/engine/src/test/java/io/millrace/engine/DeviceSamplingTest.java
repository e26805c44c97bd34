package io.millrace.engine;

import static io.millrace.engine.testing.TestingRequests.generate;
import static io.millrace.engine.testing.TestingRequests.prompt;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.SequenceEvent.Failed;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.testing.TestingConstraint;
import io.millrace.engine.testing.TestingListener;
import io.millrace.engine.testing.TestingLogits;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.kv.ErrorCode;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Tokens are the same whether the device chooses them or the host. */
class DeviceSamplingTest {
    private static final int VOCAB = 80;
    private static final int END = 79;

    /** What rows of requests are to ask the device for. */
    private enum Kind {
        GREEDY(Batch.GREEDY),
        NOISE(Batch.NOISE),
        MIN_P(Batch.NOISE),
        GREEDY_TOP_K(Batch.GREEDY),
        TOP_K(Batch.HOST),
        TOP_P(Batch.HOST),
        PENALTY(Batch.HOST),
        BIAS(Batch.HOST),
        CONSTRAINT(Batch.HOST),
        /** Logits as long as the end token is banned. */
        MIN_TOKENS(Batch.NOISE);

        final int mode;

        Kind(int mode) {
            this.mode = mode;
        }

        SamplingParameters sampling(Random random) {
            return new SamplingParameters(
                    1 + random.nextInt(30),
                    this == GREEDY || this == GREEDY_TOP_K ? 0 : 0.1f + random.nextFloat() * 3,
                    this == TOP_K || this == GREEDY_TOP_K ? 1 + random.nextInt(20) : 0,
                    this == TOP_P ? 0.7f : 1,
                    this == MIN_P ? random.nextFloat() : 0,
                    this == PENALTY ? 1.3f : 1,
                    0,
                    0,
                    this == BIAS ? Map.of(3, 2f) : Map.of(),
                    Set.of(),
                    random.nextLong(),
                    false,
                    this == MIN_TOKENS ? 5 : 0);
        }
    }

    @Test
    void tokensDoNotDependOnWhoChoosesThem() {
        Map<Kind, Integer> asked = new EnumMap<>(Kind.class);
        List<Kind> kinds = List.of(Kind.values());
        Consumer<Batch> count = batch -> {
            for (int row = 0; row < batch.logitsCount; row++) {
                // The prompt's first token is the request's kind.
                Kind kind = kinds.get(batch.tokenIds[batch.logitsRows[row]] % kinds.size());
                if (batch.positions[batch.logitsRows[row]] == 0 && kind != Kind.MIN_TOKENS) {
                    assertThat(batch.sampling[row]).as("%s", kind).isEqualTo(kind.mode);
                    asked.merge(kind, 1, Integer::sum);
                }
            }
        };
        TestingModelInstance host = new TestingModelInstance(VOCAB, 100, 4, TestingLogits.HASHED);
        TestingModelInstance device = new TestingModelInstance(VOCAB, 100, 4, TestingLogits.HASHED).sampling();
        device.observe(count);
        assertThat(outputs(device)).isEqualTo(outputs(host));
        assertThat(asked.keySet()).hasSize(kinds.size() - 1);
    }

    @Test
    void endTokenMayComeOnceItIsAllowed() {
        List<Integer> modes = new ArrayList<>();
        TestingModelInstance device = new TestingModelInstance(VOCAB, 100, 4, TestingLogits.HASHED).sampling();
        device.observe(batch -> modes.add(batch.sampling[0]));
        SamplingParameters sampling = new SamplingParameters(9, 1, 0, 1, 0, 1, 0, 0, Map.of(), Set.of(), 4, true, 4);
        run(device, Map.of("ignored", generate("ignored", prompt(0, 3, VOCAB), sampling)));
        assertThat(modes).containsOnly(Batch.NOISE).hasSize(9);
        modes.clear();
        TestingModelInstance other = new TestingModelInstance(VOCAB, 100, 4, TestingLogits.HASHED).sampling();
        other.observe(batch -> modes.add(batch.sampling[0]));
        SamplingParameters stopped = new SamplingParameters(9, 1, 0, 1, 0, 1, 0, 0, Map.of(), Set.of(78), 4, true, 4);
        run(other, Map.of("stopped", generate("stopped", prompt(0, 3, VOCAB), stopped)));
        assertThat(modes).startsWith(Batch.HOST, Batch.HOST, Batch.HOST, Batch.HOST, Batch.NOISE);
    }

    @Test
    void rowWithoutNumbersFailsItsSequenceAlone() {
        TestingLogits broken = (tokens, count, target) -> {
            TestingLogits.HASHED.compute(tokens, count, target);
            if (tokens[0] == 7 && count == 5) {
                target[11] = Float.NaN;
            }
        };
        TestingModelInstance device = new TestingModelInstance(VOCAB, 100, 4, broken).sampling();
        TestingListener listener = run(
                device,
                Map.of(
                        "good", generate("good", prompt(1, 3, VOCAB), SamplingParameters.greedy(6)),
                        "bad", generate("bad", prompt(7, 3, VOCAB), SamplingParameters.greedy(6))));
        assertThat(listener.tokens("good")).hasSize(6);
        assertThat(listener.tokens("bad")).hasSize(2);
        Failed failed = (Failed) listener.lastEvent("bad");
        assertThat(failed.code()).isEqualTo(ErrorCode.INTERNAL);
        assertThat(failed.message()).contains("no finite logits for token 2");
    }

    private static List<List<Integer>> outputs(TestingModelInstance instance) {
        Random random = new Random(3);
        List<Kind> kinds = List.of(Kind.values());
        Map<String, SequenceRequest> requests = new TreeMap<>();
        for (int i = 0; i < 300; i++) {
            Kind kind = kinds.get(i % kinds.size());
            SequenceRequest request = generate("s" + i, new int[] {i % 70}, kind.sampling(random));
            requests.put(
                    "s" + i,
                    kind == Kind.CONSTRAINT ? request.withConstraint(TestingConstraint.start(VOCAB, i)) : request);
        }
        TestingListener listener = run(instance, requests);
        List<List<Integer>> outputs = new ArrayList<>();
        for (String id : requests.keySet()) {
            assertThat(listener.tokens(id)).isNotEmpty();
            outputs.add(listener.tokens(id));
        }
        return outputs;
    }

    private static TestingListener run(TestingModelInstance instance, Map<String, SequenceRequest> requests) {
        EngineOptions options = EngineOptions.of("testing", Set.of(END), 64).withLimits(40, 12, 1000);
        try (Engine engine = new Engine(options, instance, () -> {})) {
            TestingListener listener = new TestingListener();
            EngineLease lease = engine.lease("test", listener, Integer.MAX_VALUE);
            requests.values()
                    .forEach(request -> assertThat(lease.submit(request)).isEqualTo(Admission.ACCEPTED));
            for (int step = 0; engine.doWork() > 0; step++) {
                assertThat(step).isLessThan(100_000);
            }
            engine.checkIntegrity();
            return listener;
        }
    }
}
