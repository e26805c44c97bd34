package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.last;
import static io.millrace.job.graph.TestingJob.message;
import static io.millrace.job.graph.TestingJob.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.port.TurnStream;
import io.millrace.engine.Constraint;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.engine.StopCondition;
import io.millrace.operators.EngineRole;
import io.millrace.operators.ModelText;
import io.millrace.operators.ServedModel;
import io.millrace.operators.TurnText;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.OutputConstraint;
import io.millrace.proto.Turn;
import io.millrace.proto.TurnFinished;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.apache.flink.configuration.Configuration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A grammar that takes as long as the test likes keeps nobody waiting but its own session. */
class NewGrammarITCase {
    private static final int MAX_TOKENS = 40;

    /** Grammars that may be made. What travels with a job graph cannot hold it. */
    private static final Semaphore ALLOWED = new Semaphore(0);

    /** Grammars that wait to be made. */
    private static final Semaphore ASKED = new Semaphore(0);

    @Test
    void othersGoOnWhileAGrammarIsMade() throws Exception {
        try (TestingEngine.Alone alone = new TestingEngine.Alone();
                Engine engine = TestingEngine.started(TestingEngine.instance(512), 64);
                TestingJob job = new TestingJob(new SlowGrammars("slow-grammars", engine), new Configuration())) {
            List<Integer> expected = alone.tokens(TestingModelText.encode("user:hello\n"), MAX_TOKENS);
            TurnStream held = job.port().submit(request("s", "held", regex("[ab]{5}")));
            ASKED.acquire();
            TurnStream behind = job.port().submit(request("s", "behind", "hello", MAX_TOKENS));
            TurnStream cancelled = job.port().submit(request("s", "cancelled", regex("[cd]{5}")));
            ASKED.acquire();
            TurnStream other = job.port().submit(request("t", "other", "hello", MAX_TOKENS));
            awaitComplete(other);
            assertThat(tokens(other)).isEqualTo(expected);
            job.port().cancel("s", "cancelled", "test").toCompletableFuture().join();
            awaitComplete(cancelled);
            assertThat(last(cancelled).getFinished().getReason()).isEqualTo(TurnFinished.Reason.CANCELLED);
            assertThat(held.chunkCount() + behind.chunkCount()).isZero();

            // A checkpoint does not wait for it, and has both turns.
            job.checkpoint();
            job.failAfterChunks(1, () -> {});
            job.port().submit(request("t", "fails", "hello", MAX_TOKENS));
            job.awaitRunning(1);
            assertThat(held.chunkCount() + behind.chunkCount()).isZero();
            ALLOWED.release(100);
            awaitComplete(held);
            assertThat(TestingJob.content(held)).containsPattern("^[ab]{5}");
            awaitComplete(behind);
            assertThat(tokens(behind)).isEqualTo(expected);

            TurnStream refused = job.port().submit(request("s", "refused", regex("(?=a)")));
            awaitComplete(refused);
            assertThat(last(refused).getFailed().getCode()).isEqualTo("INVALID_REQUEST");
            assertThat(last(refused).getFailed().getParam()).isEqualTo("guided_regex");
            TurnStream next = job.port().submit(request("s", "next", regex("[ab]{5}")));
            awaitComplete(next);
            assertThat(TestingJob.content(next)).containsPattern("^[ab]{5}");
            engine.checkIntegrity();
        }
    }

    private static AgentRequest request(String session, String request, OutputConstraint constraint) {
        AgentRequest.Builder made =
                TestingJob.request(session, request, List.of(message("user", "hello")), MAX_TOKENS).toBuilder();
        ChatRequest.Builder chat = made.getChatBuilder();
        chat.setOutputConstraint(constraint);
        return made.build();
    }

    private static AgentRequest request(String session, String request, String text, int maxTokens) {
        return TestingJob.request(session, request, text, maxTokens);
    }

    private static OutputConstraint regex(String regex) {
        return OutputConstraint.newBuilder()
                .setRegex(regex)
                .setParam("guided_regex")
                .build();
    }

    /** A model whose grammars are made when the test lets them. */
    private static final class SlowGrammars implements ServedModel {
        private static final long serialVersionUID = 1L;

        private final TestingServedModel model;

        SlowGrammars(String name, Engine engine) {
            model = new TestingServedModel(name, engine, TestingEngine.MAX_TURN_TOKENS);
        }

        @Override
        public ServedModel inRole(EngineRole role) {
            return this;
        }

        @Override
        public EngineLease lease(String name, EngineLease.StepListener listener, int maxUnacknowledgedSteps) {
            return model.lease(name, listener, maxUnacknowledgedSteps);
        }

        @Override
        public ModelText open() {
            return new SlowText(model.open());
        }
    }

    private record SlowText(ModelText text) implements ModelText {
        @Override
        public Prompt prompt(ChatRequest chat, @Nullable Previous previous) {
            return text.prompt(chat, previous);
        }

        @Override
        public TurnText newTurnText(Turn turn) {
            return text.newTurnText(turn);
        }

        @Override
        public StopCondition stopCondition(Turn turn, int[] generatedTokens) {
            return text.stopCondition(turn, generatedTokens);
        }

        @Override
        public boolean isConstraintReady(Turn turn) {
            return text.isConstraintReady(turn);
        }

        @Override
        public @Nullable Constraint constraint(Turn turn) {
            if (!text.isConstraintReady(turn)) {
                ASKED.release();
                ALLOWED.acquireUninterruptibly();
            }
            return text.constraint(turn);
        }

        @Override
        public String tokenText(int tokenId) {
            return text.tokenText(tokenId);
        }

        @Override
        public int vocabSize() {
            return text.vocabSize();
        }

        @Override
        public int maxTurnTokens() {
            return text.maxTurnTokens();
        }
    }
}
