package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.content;
import static io.millrace.job.graph.TestingJob.last;
import static io.millrace.job.graph.TestingJob.message;
import static io.millrace.job.graph.TestingJob.request;
import static io.millrace.job.graph.TestingJob.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.port.TurnStream;
import io.millrace.engine.Engine;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.proto.ChatMessage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.StateBackendOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sessions that outlive the engine that served them: what a new engine has to compute of them. */
class DurableSessionsITCase {
    private static final int BLOCK = TestingEngine.BLOCK_SIZE_TOKENS;

    @TempDir
    Path directory;

    private final TestingEngine.Alone alone = new TestingEngine.Alone();
    private final List<Engine> engines = new ArrayList<>();
    private String name = "";

    @BeforeEach
    void nameAfterTheTest(TestInfo test) {
        name = test.getTestClass().orElseThrow().getSimpleName() + test.getDisplayName();
    }

    @AfterEach
    void enginesAreLeftClean() throws Exception {
        alone.close();
        for (Engine engine : engines) {
            TestingJob.await("no sequence is left", () -> engine.stats().runningSequences() == 0);
            engine.checkIntegrity();
            assertThat(engine.stats().blocks().usedBlocks()).isZero();
            engine.close();
        }
    }

    @ParameterizedTest(name = "{displayName} {0}")
    @ValueSource(strings = {"rocksdb", "hashmap"})
    void idleSessionIsNotComputedAgain(String backend) throws Exception {
        Configuration options = options(backend);
        Conversation conversation = new Conversation("s", "x".repeat(40 * BLOCK));
        String savepoint;
        try (TestingJob job = new TestingJob(cold(), options)) {
            conversation.turn(job, 20);
            savepoint = job.stopWithSavepoint(directory.toUri().toString());
        }
        TestingServedModel model = cold();
        try (TestingJob job = new TestingJob(model, options, savepoint)) {
            conversation.turn(job, 20);
            assertThat(engine().stats().loadedTokens()).isEqualTo(conversation.keptTokens());
            assertThat(engine().stats().promptTokens())
                    .isEqualTo(conversation.promptTokens() - conversation.keptTokens());
        }
    }

    private TestingServedModel cold() {
        engines.add(TestingEngine.started(TestingEngine.instance(512), 64));
        return new TestingServedModel(name, engine(), TestingEngine.MAX_TURN_TOKENS);
    }

    private Engine engine() {
        return engines.get(engines.size() - 1);
    }

    private static Configuration options(String backend) {
        Configuration options = new Configuration();
        options.set(StateBackendOptions.STATE_BACKEND, backend);
        return options;
    }

    /** A session whose turns each add a question and the answer. */
    private final class Conversation {
        private final String sessionId;
        private final List<ChatMessage> messages = new ArrayList<>();
        private int turns;
        private int[] lastTokens = {};
        private int[] prompt = {};
        private int keptTokens;

        Conversation(String sessionId, String system) {
            this.sessionId = sessionId;
            messages.add(message("system", system));
        }

        TurnStream turn(TestingJob job, int maxTokens) throws Exception {
            messages.add(message("user", "question " + turns));
            TurnStream turn = job.port().submit(request(sessionId, "r" + turns++, messages, maxTokens));
            awaitComplete(turn);
            assertThat(last(turn).hasFinished()).as("%s", last(turn)).isTrue();
            prompt = TestingModelText.encode(rendered());
            assertThat(tokens(turn)).isEqualTo(alone.tokens(prompt, maxTokens));
            int common = Arrays.mismatch(lastTokens, prompt);
            keptTokens = Math.min(common, lastTokens.length - 1) / BLOCK * BLOCK;
            lastTokens = IntStream.concat(
                            Arrays.stream(prompt), tokens(turn).stream().mapToInt(token -> token))
                    .toArray();
            messages.add(message("assistant", content(turn)));
            return turn;
        }

        /** Tokens of the last turn's prompt. */
        int promptTokens() {
            return prompt.length;
        }

        /** Those of them that are in full blocks of the turn before. */
        int keptTokens() {
            return keptTokens;
        }

        private String rendered() {
            StringBuilder text = new StringBuilder();
            messages.forEach(message -> text.append(message.getRole())
                    .append(':')
                    .append(message.getContent())
                    .append('\n'));
            return text.toString();
        }
    }
}
