package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitChunks;
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
import io.millrace.operators.tiers.LoadPolicy;
import io.millrace.operators.tiers.TierMetrics;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.CloseRequest;
import io.millrace.proto.TurnFinished;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.testutils.InMemoryReporter;
import org.apache.flink.state.rocksdb.RocksDBOptions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
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
    private TestingMetrics metrics = new TestingMetrics(InMemoryReporter.create());
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
        try (TestingJob job = job(cold(), options, null)) {
            conversation.turn(job, 20);
            awaitSaved(42);
            savepoint = job.stopWithSavepoint(directory.toUri().toString());
        }
        TestingServedModel model = cold();
        try (TestingJob job = job(model, options, savepoint)) {
            conversation.turn(job, 20);
            assertThat(engine().stats().loadedTokens()).isEqualTo(conversation.keptTokens());
            assertThat(engine().stats().promptTokens())
                    .isEqualTo(conversation.promptTokens() - conversation.keptTokens());
        }
    }

    @Test
    void savepointOfABackendWithOtherBlocksIsComputedAgain() throws Exception {
        Configuration options = options("rocksdb");
        Conversation conversation = new Conversation("s", "x".repeat(40 * BLOCK));
        String savepoint;
        try (TestingJob job = job(cold(), options, null)) {
            conversation.turn(job, 20);
            awaitSaved(42);
            savepoint = job.stopWithSavepoint(directory.toUri().toString());
        }
        // Each turn's tokens are compared with those of an engine of its own.
        engines.add(TestingEngine.started(TestingEngine.otherInstance(512), 64));
        try (TestingJob job =
                job(new TestingServedModel(name, engine(), TestingEngine.MAX_TURN_TOKENS), options, savepoint)) {
            conversation.turn(job, 20);
            assertThat(engine().stats().loadedTokens()).isZero();
            assertThat(engine().stats().promptTokens()).isEqualTo(conversation.promptTokens());
        }
    }

    @ParameterizedTest(name = "{displayName} {0}")
    @ValueSource(strings = {"rocksdb", "hashmap"})
    void sharedPrefixIsWrittenOnceAndComputedOnce(String backend) throws Exception {
        Configuration options = options(backend);
        // Else the other session's blocks, the shared ones among them, are brought there ahead.
        options.set(MillraceOptions.HOST_TIER_ENABLED, false);
        String system = "x".repeat(40 * BLOCK);
        Conversation first = new Conversation("first", system);
        Conversation second = new Conversation("second", system);
        String savepoint;
        try (TestingJob job = job(cold(), options, null)) {
            first.ask(job, "a".repeat(8 * BLOCK), 10);
            awaitSaved(49);
            second.ask(job, "b".repeat(8 * BLOCK), 10);
            awaitSaved(49 + 9);
            assertThat(metrics.gauge("Decode", TierMetrics.SHARED)).isEqualTo(40L);
            savepoint = job.stopWithSavepoint(directory.toUri().toString());
        }
        try (TestingJob job = job(cold(), options, savepoint)) {
            // The first to return has its own blocks only, and the second finds the others on the device.
            second.turn(job, 10);
            assertThat(metrics.gauge("Decode", TierMetrics.HEADS)).isEqualTo(1L);
            assertThat(engine().stats().loadedTokens()).isEqualTo(second.keptTokens() - 40 * BLOCK);
            long computed = engine().stats().promptTokens();
            assertThat(computed).isEqualTo(second.promptTokens() - second.keptTokens() + 40 * BLOCK);
            first.turn(job, 10);
            assertThat(engine().stats().promptTokens() - computed).isEqualTo(first.promptTokens() - first.keptTokens());
            assertThat(metrics.gauge("Decode", TierMetrics.HEADS)).isEqualTo(1L);
        }
    }

    @ParameterizedTest(name = "{displayName} {0}")
    @ValueSource(strings = {"rocksdb", "hashmap"})
    void unfinishedTurnGoesOnFromWhatWasSavedOfIt(String backend) throws Exception {
        Configuration options = options(backend);
        String prompt = "x".repeat(60 * BLOCK);
        String savepoint;
        // The turn must not end before the savepoint is taken, which may take a second or two.
        engines.add(TestingEngine.started(TestingEngine.slowInstance(512, 20_000), 64));
        TestingServedModel slow = new TestingServedModel(name, engine(), TestingEngine.MAX_TURN_TOKENS);
        try (TestingJob job = job(slow, options, null)) {
            TurnStream turn = job.port().submit(request("s", "r", prompt, 300));
            awaitChunks(turn, 40);
            TestingJob.await("the prompt is saved", () -> (long) metrics.gauge("Decode", TierMetrics.STATE_BYTES) > 0);
            savepoint = job.stopWithSavepoint(directory.toUri().toString());
        }
        try (TestingJob job = job(cold(), options, savepoint)) {
            TurnStream turn = job.port().submit(request("s", "r", prompt, 300));
            awaitComplete(turn);
            assertThat(tokens(turn)).isEqualTo(alone.tokens(TestingModelText.encode("user:" + prompt + "\n"), 300));
            assertThat(engine().stats().loadedTokens()).isGreaterThanOrEqualTo(60 * BLOCK);
            assertThat(engine().stats().promptTokens()).isLessThan(300);
            assertThat(metrics.gauge("Decode", TierMetrics.RESTORED_TURNS)).isEqualTo(1L);
        }
    }

    @ParameterizedTest(name = "{displayName} {0}")
    @ValueSource(strings = {"rocksdb", "hashmap"})
    void withoutManagedMemoryThereIsStateAlone(String backend) throws Exception {
        Configuration options = options(backend);
        options.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ZERO);
        options.set(RocksDBOptions.USE_MANAGED_MEMORY, false);
        Conversation conversation = new Conversation("s", "x".repeat(40 * BLOCK));
        try (TestingJob job = job(smallDevice(), options, null)) {
            conversation.turn(job, 20);
            awaitSaved(42);
            assertThat(metrics.gauge("Decode", TierMetrics.HOST_CAPACITY)).isEqualTo(0L);
            new Conversation("other", "y".repeat(60 * BLOCK)).turn(job, 20);
            long computed = engine().stats().promptTokens();
            conversation.turn(job, 20);
            assertThat(engine().stats().promptTokens() - computed)
                    .isEqualTo(conversation.promptTokens() - conversation.keptTokens());
            assertThat((long) metrics.gauge("Decode", TierMetrics.PROMOTED_FROM_STATE))
                    .isPositive();
        }
    }

    @ParameterizedTest(name = "{displayName} {0}")
    @ValueSource(strings = {"rocksdb", "hashmap"})
    void hostAloneKeepsWhatTheDeviceLoses(String backend) throws Exception {
        Configuration options = options(backend);
        options.set(MillraceOptions.STATE_TIER_ENABLED, false);
        Conversation conversation = new Conversation("s", "x".repeat(40 * BLOCK));
        try (TestingJob job = job(smallDevice(), options, null)) {
            conversation.turn(job, 20);
            TestingJob.await("HOST has it", () -> (long) metrics.gauge("Decode", TierMetrics.HOST_USED) == 42);
            new Conversation("other", "y".repeat(60 * BLOCK)).turn(job, 20);
            long computed = engine().stats().promptTokens();
            conversation.turn(job, 20);
            assertThat(engine().stats().promptTokens() - computed)
                    .isEqualTo(conversation.promptTokens() - conversation.keptTokens());
            assertThat((long) metrics.gauge("Decode", TierMetrics.PROMOTED_FROM_HOST))
                    .isPositive();
            assertThat(metrics.gauge("Decode", TierMetrics.STATE_BYTES)).isEqualTo(0L);
        }
    }

    @ParameterizedTest(name = "{displayName} {0}")
    @ValueSource(strings = {"rocksdb", "hashmap"})
    void closedSessionLeavesNothing(String backend) throws Exception {
        Configuration options = options(backend);
        try (TestingJob job = job(cold(), options, null)) {
            Conversation closed = new Conversation("closed", "x".repeat(10 * BLOCK));
            Conversation other = new Conversation("other", "y".repeat(10 * BLOCK));
            closed.turn(job, 20);
            other.turn(job, 20);
            awaitSaved(2 * 12);
            long bytes = (long) metrics.gauge("Decode", TierMetrics.STATE_BYTES);
            TurnStream running = job.port().submit(request("closed", "running", "z", 2000));
            awaitChunks(running, 2);
            TurnStream close = job.port()
                    .submit(AgentRequest.newBuilder()
                            .setSessionId("closed")
                            .setRequestId("close")
                            .setClose(CloseRequest.getDefaultInstance())
                            .build());
            awaitComplete(close);
            awaitComplete(running);
            assertThat(last(close).getFinished().getReason()).isEqualTo(TurnFinished.Reason.CLOSED);
            assertThat(last(running).getFinished().getReason()).isEqualTo(TurnFinished.Reason.CANCELLED);
            assertThat((long) metrics.gauge("Decode", TierMetrics.STATE_BYTES)).isEqualTo(bytes / 2);
            assertThat(metrics.gauge("Decode", TierMetrics.SESSIONS)).isEqualTo(1);
            closed.forget();
            closed.turn(job, 20);
            other.turn(job, 20);
        }
    }

    @ParameterizedTest(name = "{displayName} {0}")
    @ValueSource(strings = {"rocksdb", "hashmap"})
    void sessionEndsWithItsTimeToLive(String backend) throws Exception {
        Configuration options = options(backend);
        options.set(MillraceOptions.SESSION_TTL, Duration.ofMillis(300));
        try (TestingJob job = job(cold(), options, null)) {
            Conversation conversation = new Conversation("s", "x".repeat(10 * BLOCK));
            conversation.turn(job, 20);
            TestingJob.await("the session ends", () -> (int) metrics.gauge("Decode", TierMetrics.SESSIONS) == 0);
            TestingJob.await("its blocks go", () -> (long) metrics.gauge("Decode", TierMetrics.STATE_BYTES) == 0);
            assertThat(metrics.gauge("Decode", TierMetrics.SESSIONS_EXPIRED)).isEqualTo(1L);
            conversation.turn(job, 20);
        }
    }

    /** A job whose metrics are those that the test reads from now on. */
    private TestingJob job(TestingServedModel model, Configuration options, @Nullable String savepoint)
            throws Exception {
        InMemoryReporter reporter = InMemoryReporter.create();
        metrics = new TestingMetrics(reporter);
        return new TestingJob(model, reporter.addToConfiguration(new Configuration(options)), savepoint);
    }

    private void awaitSaved(long blocks) throws Exception {
        TestingJob.await(
                blocks + " blocks are saved",
                () -> (long) metrics.gauge("Decode", TierMetrics.DEMOTED_TO_STATE) >= blocks);
        assertThat(metrics.gauge("Decode", TierMetrics.DEMOTED_TO_STATE)).isEqualTo(blocks);
    }

    /** An engine that has room for one of the sessions. */
    private TestingServedModel smallDevice() {
        engines.add(TestingEngine.started(TestingEngine.instance(72), 64));
        return new TestingServedModel(name, engine(), TestingEngine.MAX_TURN_TOKENS);
    }

    private TestingServedModel cold() {
        engines.add(TestingEngine.started(TestingEngine.instance(512), 64));
        return new TestingServedModel(name, engine(), TestingEngine.MAX_TURN_TOKENS);
    }

    private Engine engine() {
        return engines.get(engines.size() - 1);
    }

    private Configuration options(String backend) {
        Configuration options = new Configuration();
        options.set(MillraceOptions.TIERS_LOAD, LoadPolicy.ALWAYS);
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
            return ask(job, "question " + turns, maxTokens);
        }

        TurnStream ask(TestingJob job, String question, int maxTokens) throws Exception {
            messages.add(message("user", question));
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

        /** The session is a new one. */
        void forget() {
            messages.clear();
            lastTokens = new int[0];
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
