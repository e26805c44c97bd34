package io.millrace.engine;

import static io.millrace.engine.testing.TestingRequests.generate;
import static io.millrace.engine.testing.TestingRequests.prompt;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.SequenceEvent.Failed;
import io.millrace.engine.SequenceEvent.Finished;
import io.millrace.engine.testing.TestingConstraint;
import io.millrace.engine.testing.TestingListener;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ConstraintTest {
    private static final int VOCAB = 300;
    private static final int END = 299;

    private final Engine engine = new Engine(
            EngineOptions.of("testing", Set.of(END), 128).withLimits(32, 8, 64),
            new TestingModelInstance(64, 4),
            () -> {});
    private final TestingListener listener = new TestingListener();
    private final EngineLease lease = engine.lease("test", listener, 1000);

    @AfterEach
    void nothingIsLeftBehind() {
        run();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
        engine.close();
    }

    @Test
    void everyTokenIsAllowed() {
        for (int i = 0; i < 20; i++) {
            submit("s" + i, TestingConstraint.start(VOCAB, i), sampling(i % 2, i, 0));
        }
        run();
        for (int i = 0; i < 20; i++) {
            assertThat(listener.lastEvent("s" + i)).isInstanceOf(Finished.class);
            TestingConstraint state = TestingConstraint.start(VOCAB, i);
            for (int token : listener.tokens("s" + i)) {
                assertThat(state.allows(token)).isTrue();
                state = (TestingConstraint) state.after(token);
            }
        }
    }

    @Test
    void goesOnWhereItWas() {
        SamplingParameters sampling = sampling(1, 5, 0);
        TestingConstraint start = TestingConstraint.start(VOCAB, 77);
        submit("whole", start, sampling);
        run();
        List<Integer> whole = listener.tokens("whole");
        for (int split = 1; split < whole.size(); split++) {
            int[] generated =
                    whole.stream().limit(split).mapToInt(Integer::intValue).toArray();
            lease.submit(resumed("r" + split, generated, start, sampling));
            run();
            assertThat(listener.tokens("r" + split)).isEqualTo(whole.subList(split, whole.size()));
        }
    }

    @Test
    void refusesAnOutputThatItDoesNotAllow() {
        Constraint only = new Only(7, END);
        assertThatThrownBy(() -> lease.submit(resumed("a", new int[] {7, 8}, only, sampling(0, 0, 0))))
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                .hasMessageContaining("token 8, which is token 1 of the output");
    }

    @Test
    void anEndTokenComesBeforeMinTokensWhereNothingElseMay() {
        submit("a", new Only(END), sampling(0, 0, 5));
        submit("b", new Only(7, END), sampling(0, 0, 5));
        run();
        // Before the fifth token an end token does not end it.
        assertThat(listener.tokens("a")).containsOnly(END).hasSize(6);
        assertThat(listener.tokens("b").subList(0, 5)).containsOnly(7);
    }

    @Test
    void aConstraintThatFailsHarmsNobodyElse() {
        submit("throws", new Failing(), sampling(0, 0, 0));
        submit("nothing", new Only(), sampling(0, 0, 0));
        submit("contradicts", new Contradicting(), sampling(0, 0, 0));
        submit("beyond", new Only(VOCAB), sampling(0, 0, 0));
        submit("well", new Only(7), sampling(0, 0, 0));
        run();
        assertThat(listener.lastEvent("throws"))
                .isInstanceOfSatisfying(
                        Failed.class,
                        e -> assertThat(e.message()).contains("at token 0 of the output its constraint failed"));
        for (String id : List.of("nothing", "beyond")) {
            assertThat(listener.lastEvent(id))
                    .isInstanceOfSatisfying(
                            Failed.class,
                            e -> assertThat(e.message())
                                    .contains("at token 0 of the output its constraint allows no token"));
        }
        assertThat(listener.lastEvent("contradicts")).isInstanceOf(Failed.class);
        assertThat(listener.tokens("well")).containsOnly(7).hasSize(20);
    }

    private void submit(String id, Constraint constraint, SamplingParameters sampling) {
        SequenceRequest request = generate(id, prompt(id.hashCode() & 127, 9, VOCAB), sampling);
        assertThat(lease.submit(request.withConstraint(constraint))).isEqualTo(Admission.ACCEPTED);
    }

    private static SequenceRequest resumed(
            String id, int[] generated, Constraint constraint, SamplingParameters sampling) {
        int[] prompt = prompt("whole".hashCode() & 127, 9, VOCAB);
        SequenceRequest request = new SequenceRequest(
                id,
                id,
                SequenceRequest.Purpose.GENERATE,
                prompt,
                generated,
                sampling,
                "",
                0,
                0,
                StopCondition.NEVER,
                null);
        return request.withConstraint(constraint);
    }

    private static SamplingParameters sampling(float temperature, long seed, int minTokens) {
        return new SamplingParameters(
                20, temperature, 0, 1, 0, 1.1f, 0, 0.1f, Map.of(), Set.of(), seed, false, minTokens);
    }

    private void run() {
        for (int step = 0; engine.doWork() > 0; step++) {
            engine.checkIntegrity();
            assertThat(step).isLessThan(1000);
        }
    }

    /** Always the same tokens. */
    private record Only(int... tokenIds) implements Constraint {
        @Override
        public long[] allowed() {
            long[] words = new long[VOCAB / Long.SIZE + 1];
            for (int id : tokenIds) {
                words[id / Long.SIZE] |= 1L << id;
            }
            return words;
        }

        @Override
        public @Nullable Constraint after(int tokenId) {
            for (int id : tokenIds) {
                if (id == tokenId) {
                    return this;
                }
            }
            return null;
        }

        @Override
        public int[] forced(int limit) {
            return new int[0];
        }
    }

    /** Throws. */
    private static final class Failing implements Constraint {
        @Override
        public long[] allowed() {
            throw new IllegalStateException("on purpose");
        }

        @Override
        public Constraint after(int tokenId) {
            throw new IllegalStateException("on purpose");
        }

        @Override
        public int[] forced(int limit) {
            throw new IllegalStateException("on purpose");
        }
    }

    /** Allows tokens that it has no way on from. */
    private static final class Contradicting implements Constraint {
        @Override
        public long[] allowed() {
            return new long[] {-1};
        }

        @Override
        public @Nullable Constraint after(int tokenId) {
            return null;
        }

        @Override
        public int[] forced(int limit) {
            return new int[] {1, 2, 3};
        }
    }
}
