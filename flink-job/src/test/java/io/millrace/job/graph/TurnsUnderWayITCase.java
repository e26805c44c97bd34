package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.last;
import static io.millrace.job.graph.TestingJob.message;
import static io.millrace.job.graph.TestingJob.request;
import static io.millrace.job.graph.TestingJob.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.port.TurnStream;
import io.millrace.engine.Engine;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.operators.router.RouterMetrics;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.proto.AgentRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.testutils.InMemoryReporter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Turns that a checkpoint finds in Prefill, and in the channels between the operators. */
class TurnsUnderWayITCase {
    private static final int MAX_TOKENS = 40;
    private static final int BATCH_SEQUENCES_MAX = 32;

    @TempDir
    Path directory;

    private final TestingEngine.Alone alone = new TestingEngine.Alone();
    private final TestingModelInstance instance = TestingEngine.instance(512);
    private final TestingEngine.StepGate steps = new TestingEngine.StepGate(instance);
    private final Engine engine = TestingEngine.started(instance, 4);
    private final TestingServedModel model =
            new TestingServedModel("turns-under-way", engine, TestingEngine.MAX_TURN_TOKENS);

    @AfterEach
    void engineIsLeftClean() throws Exception {
        steps.open();
        TestingJob.await(
                "no sequence is left",
                () -> engine.stats().runningSequences() == 0 && engine.stats().waitingSequences() == 0);
        engine.checkIntegrity();
        engine.close();
        alone.close();
    }

    @Test
    void turnInPrefillGoesOnAfterAFailure() throws Exception {
        steps.close();
        try (TestingJob job = new TestingJob(model, options())) {
            TurnStream turn = job.port().submit(longRequest(0));
            steps.awaitStep();
            job.checkpoint();
            job.failAfterChunks(0, () -> {});
            TurnStream refused = job.port().submit(request("t", "r", List.of(message("refuse", "")), 10));
            job.awaitRunning(1);
            steps.open();
            awaitComplete(turn);
            assertThat(tokens(turn)).isEqualTo(expected(longRequest(0)));
            awaitComplete(refused);
            assertThat(last(refused).getFailed().getCode()).isEqualTo("TEMPLATE_REFUSED");
        }
    }

    @Test
    void turnInPrefillGoesOnElsewhereFromASavepoint() throws Exception {
        steps.close();
        String savepoint;
        try (TestingJob job = new TestingJob(model, options())) {
            for (int i = 0; i < 3; i++) {
                job.port().submit(longRequest(i));
            }
            steps.awaitStep();
            savepoint = job.stopWithSavepoint(directory.toUri().toString());
        }
        Configuration wider = options();
        wider.set(MillraceOptions.PREFILL_PARALLELISM, 3);
        wider.set(MillraceOptions.DECODE_PARALLELISM, 2);
        try (TestingJob job = new TestingJob(model, wider, savepoint)) {
            steps.open();
            // Nobody asks for them, and they go on: when they are asked for, nothing is left to do.
            TestingJob.await("the turns have ended", () -> engine.stats().outputTokens() >= 3 * MAX_TOKENS);
            for (int i = 0; i < 3; i++) {
                TurnStream turn = job.port().submit(longRequest(i));
                awaitComplete(turn);
                assertThat(tokens(turn)).isEqualTo(expected(longRequest(i)));
            }
            assertThat(engine.stats().outputTokens()).isEqualTo(3 * MAX_TOKENS);
        }
    }

    @Test
    void checkpointOfAFullJobLosesNoTurnAndRunsNoneTwice() throws Exception {
        int turnCount = 60;
        InMemoryReporter reporter = InMemoryReporter.createWithRetainedMetrics();
        Configuration options = reporter.addToConfiguration(options());
        options.set(MillraceOptions.PREFILL_PENDING_TURNS, 2);
        options.set(MillraceOptions.DECODE_PENDING_TURNS, 2);
        options.set(MillraceOptions.PREFILL_PARALLELISM, 2);
        options.set(MillraceOptions.DECODE_PARALLELISM, 2);
        options.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY, directory.toUri().toString());
        options.set(
                CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
                ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
        steps.close();
        String checkpoint;
        try (TestingJob job = new TestingJob(model, options)) {
            for (int i = 0; i < turnCount; i++) {
                job.port().submit(mixedRequest(i));
            }
            TestingJob.await("all are routed", () -> admitted(reporter) == turnCount);
            steps.awaitStep();
            // Both stages are full and read no more: most turns are in the channels.
            checkpoint = job.checkpoint();
            assertThat(job.checkpointedChannelBytes()).isPositive();
            job.cancel();
        }
        // Tasks run when they have read what the channels held, and so not while they are full.
        steps.open();
        try (TestingJob job = new TestingJob(model, options, checkpoint)) {
            List<TurnStream> turns = new ArrayList<>();
            for (int i = 0; i < turnCount; i++) {
                turns.add(job.port().submit(mixedRequest(i)));
            }
            for (int i = 0; i < turnCount; i++) {
                awaitComplete(turns.get(i));
                assertThat(tokens(turns.get(i))).isEqualTo(expected(mixedRequest(i)));
            }
            // The step that stood still may have ended with a token of each of its sequences.
            assertThat(engine.stats().outputTokens())
                    .isBetween((long) turnCount * MAX_TOKENS, (long) turnCount * MAX_TOKENS + BATCH_SEQUENCES_MAX);
        }
    }

    private static long admitted(InMemoryReporter reporter) {
        return reporter.getMetricsByGroup().values().stream()
                .filter(metrics -> metrics.containsKey(RouterMetrics.ADMITTED))
                .mapToLong(metrics -> ((Counter) metrics.get(RouterMetrics.ADMITTED)).getCount())
                .sum();
    }

    private static Configuration options() {
        Configuration options = new Configuration();
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 20);
        options.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofHours(1));
        return options;
    }

    /** One that Prefill computes. */
    private static AgentRequest longRequest(int number) {
        return request("s" + number, "r", number + "x".repeat(60 + number), MAX_TOKENS);
    }

    /** The first half passes to Decode at once. */
    private static AgentRequest mixedRequest(int number) {
        return number < 30 ? request("s" + number, "r", "a" + number, MAX_TOKENS) : longRequest(number);
    }

    private List<Integer> expected(AgentRequest request) {
        String text = "user:" + request.getChat().getMessages(0).getContent() + "\n";
        return alone.tokens(TestingModelText.encode(text), MAX_TOKENS);
    }
}
