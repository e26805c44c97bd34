package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitChunks;
import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.last;
import static io.millrace.job.graph.TestingJob.message;
import static io.millrace.job.graph.TestingJob.request;
import static io.millrace.job.graph.TestingJob.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.port.TurnStream;
import io.millrace.engine.Engine;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.TurnFinished;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Cancelled turns whose ends wait for a checkpoint that has the cancel. */
class CancelledTurnsITCase {
    @TempDir
    Path folder;

    /** Far more than a turn has when it is cancelled. */
    private static final int MAX_TOKENS = 1_900;

    private static final long STEP_NANOS = 2_000_000;

    private final TestingEngine.Alone alone = new TestingEngine.Alone();
    private final TestingModelInstance instance = TestingEngine.instance(512);
    private final Engine engine = TestingEngine.started(instance, 4);
    private final TestingServedModel model =
            new TestingServedModel("cancelled-turns", engine, TestingEngine.MAX_TURN_TOKENS);

    CancelledTurnsITCase() {
        instance.observe(batch -> LockSupport.parkNanos(STEP_NANOS));
    }

    @AfterEach
    void engineIsLeftClean() throws Exception {
        TestingJob.await(
                "no sequence is left",
                () -> engine.stats().runningSequences() == 0 && engine.stats().waitingSequences() == 0);
        engine.checkIntegrity();
        engine.close();
        alone.close();
    }

    @Test
    void tokensEndAtOnceAndTheTurnWithACheckpoint() throws Exception {
        try (TestingJob job = new TestingJob(model, options())) {
            TurnStream turn = job.port().submit(request("s", "r", "hello", MAX_TOKENS));
            awaitChunks(turn, 5);
            cancel(job, "r");
            int count = turn.chunkCount();
            // The session goes on meanwhile.
            TurnStream next = job.port().submit(request("s", "next", "hello", 10));
            awaitComplete(next);
            assertThat(tokens(next)).isEqualTo(expected(10));
            assertThat(turn.chunkCount()).isEqualTo(count);
            assertThat(turn.isComplete()).isFalse();
            cancel(job, "r");
            job.checkpoint();
            assertCancelled(turn);
            assertThat(tokens(turn)).hasSize(count);
        }
    }

    @Test
    void turnCancelledBehindTheLastCheckpointGoesOnAndEndsOnce() throws Exception {
        try (TestingJob job = new TestingJob(model, options())) {
            TurnStream turn = job.port().submit(request("s", "r", "hello", MAX_TOKENS));
            awaitChunks(turn, 5);
            job.checkpoint();
            cancel(job, "r");
            job.failAfterChunks(0, () -> {});
            TurnStream refused = job.port().submit(request("t", "r", List.of(message("refuse", "")), 10));
            job.awaitRunning(1);
            awaitComplete(refused);
            assertThat(turn.isComplete()).isFalse();
            cancel(job, "r");
            job.checkpoint();
            assertCancelled(turn);
        }
    }

    @Test
    void turnWhoseCancelACheckpointHasEndsWhenItIsRestored() throws Exception {
        String savepoint;
        int count;
        try (TestingJob job = new TestingJob(model, options())) {
            TurnStream turn = job.port().submit(request("s", "r", "hello", MAX_TOKENS));
            awaitChunks(turn, 5);
            cancel(job, "r");
            count = turn.chunkCount();
            savepoint = job.stopWithSavepoint(folder.toUri().toString());
        }
        try (TestingJob job = new TestingJob(model, options(), savepoint)) {
            TurnStream turn = job.port().submit(request("s", "r", "hello", MAX_TOKENS));
            assertCancelled(turn);
            assertThat(tokens(turn)).hasSize(count);
        }
    }

    private static Configuration options() {
        Configuration options = new Configuration();
        options.set(MillraceOptions.DECODE_SAVE_CANCELS_FIRST, true);
        options.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofHours(1));
        return options;
    }

    /** Cancels a turn and waits until Decode has heard of it: behind it comes an answer to another request. */
    private static void cancel(TestingJob job, String requestId) throws Exception {
        job.port().cancel("s", requestId, "test").toCompletableFuture().join();
        TurnStream behind =
                job.port().submit(request("s", "behind-" + System.nanoTime(), List.of(message("refuse", "")), 10));
        awaitComplete(behind);
    }

    private void assertCancelled(TurnStream turn) throws Exception {
        awaitComplete(turn);
        TokenChunk end = last(turn);
        assertThat(end.getFinished().getReason()).isEqualTo(TurnFinished.Reason.CANCELLED);
        List<Integer> tokens = tokens(turn);
        assertThat(tokens).isEqualTo(expected(MAX_TOKENS).subList(0, tokens.size()));
    }

    private List<Integer> expected(int maxTokens) {
        return alone.tokens(TestingModelText.encode("user:hello\n"), maxTokens);
    }
}
