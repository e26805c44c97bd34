package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitChunks;
import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.close;
import static io.millrace.job.graph.TestingJob.last;
import static io.millrace.job.graph.TestingJob.request;
import static io.millrace.job.graph.TestingJob.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.port.TurnStream;
import io.millrace.engine.Engine;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.gateway.Gateway;
import io.millrace.gateway.GatewayOptions;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.proto.SessionInfo;
import io.millrace.proto.TurnFinished;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** A session is closed, in whatever state its turns are, and whatever fails meanwhile. */
class SessionCloseITCase {
    private final TestingEngine.Alone alone = new TestingEngine.Alone();
    private final TestingModelInstance instance = TestingEngine.slowInstance(512, 1000);
    private final Engine engine = TestingEngine.started(instance, 64);

    @AfterEach
    void engineIsLeftClean() throws Exception {
        alone.close();
        TestingJob.await(
                "no sequence is left",
                () -> engine.stats().runningSequences() == 0 && engine.stats().waitingSequences() == 0);
        engine.checkIntegrity();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
        engine.close();
    }

    @Test
    void runningTurnsEndAndTheSessionIsGone(TestInfo test) throws Exception {
        try (TestingJob job = job(test, new Configuration())) {
            TurnStream ended = job.port().submit(request("s", "r0", "hello", 5));
            awaitComplete(ended);
            TurnStream running = job.port().submit(request("s", "r1", "hello", 1000));
            TurnStream other = job.port().submit(request("t", "r0", "hello", 60));
            awaitChunks(running, 5);
            assertThat(sessions(job)).contains("s", "t");
            assertClosed(job.port().submit(close("s", "c")));
            awaitComplete(running);
            assertThat(last(running).getFinished().getReason()).isEqualTo(TurnFinished.Reason.CANCELLED);
            assertThat(tokens(running))
                    .isEqualTo(expected("user:hello\n", tokens(running).size()));
            awaitComplete(other);
            assertThat(tokens(other)).isEqualTo(expected("user:hello\n", 60));
            assertThat(sessions(job)).containsExactly("t");
            // Whoever asks for the name again begins anew.
            TurnStream next = job.port().submit(request("s", "r2", "hello", 10));
            awaitComplete(next);
            assertThat(tokens(next)).isEqualTo(expected("user:hello\n", 10));
            assertThat(sessions(job)).contains("s", "t");
        }
    }

    @Test
    void unknownSessionIsClosedAlikeAndARepetitionEndsNothing(TestInfo test) throws Exception {
        Configuration options = new Configuration();
        // The port forgets all but the latest turn, so that the job is asked again.
        options.set(MillraceOptions.LOCAL_RETAINED_TURNS, 1);
        try (TestingJob job = job(test, options)) {
            assertClosed(job.port().submit(close("s", "c")));
            TurnStream turn = job.port().submit(request("s", "r0", "hello", 200));
            awaitChunks(turn, 5);
            TurnStream filler = job.port().submit(request("t", "r0", "hello", 1));
            awaitComplete(filler);
            TestingJob.await(
                    "the close is forgotten", () -> job.port().find("s", "c").isEmpty());
            assertClosed(job.port().submit(close("s", "c")));
            awaitComplete(turn);
            assertThat(tokens(turn)).isEqualTo(expected("user:hello\n", 200));
        }
    }

    @Test
    void sessionIsDeletedOverHttp(TestInfo test) throws Exception {
        GatewayOptions options = GatewayOptions.of("testing").withAddress("127.0.0.1", 0);
        try (TestingJob job = job(test, new Configuration());
                Gateway gateway = new Gateway(options, job.port())) {
            gateway.start();
            TurnStream running = job.port().submit(request("s", "r", "hello", 1000));
            awaitChunks(running, 5);
            URI uri = URI.create("http://127.0.0.1:" + gateway.port() + "/v1/sessions/s");
            HttpResponse<String> answer = HttpClient.newHttpClient()
                    .send(HttpRequest.newBuilder(uri).DELETE().build(), HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.body()).isEqualTo("{\"id\":\"s\",\"object\":\"session.deleted\",\"deleted\":true}");
            // Its chunks are sent in order: the turn had ended before.
            assertThat(running.isComplete()).isTrue();
            assertThat(sessions(job)).isEmpty();
        }
    }

    @Test
    void turnInPrefillEnds(TestInfo test) throws Exception {
        Configuration options = new Configuration();
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 20);
        TestingEngine.StepGate steps = new TestingEngine.StepGate(instance);
        steps.close();
        try (TestingJob job = job(test, options)) {
            TurnStream turn = job.port().submit(request("s", "r", "x".repeat(100), 50));
            TurnStream other = job.port().submit(request("t", "r", "x".repeat(100), 50));
            steps.awaitStep();
            assertClosed(job.port().submit(close("s", "c")));
            awaitComplete(turn);
            assertThat(last(turn).getFinished().getReason()).isEqualTo(TurnFinished.Reason.CANCELLED);
            assertThat(tokens(turn)).isEmpty();
            steps.open();
            awaitComplete(other);
            assertThat(tokens(other)).isEqualTo(expected("user:" + "x".repeat(100) + "\n", 50));
        }
    }

    @Test
    void closeWhoseAnswerIsLostIsAnsweredAfterTheFailure(TestInfo test) throws Exception {
        Configuration options = new Configuration();
        options.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofHours(1));
        try (TestingJob job = job(test, options)) {
            awaitComplete(job.port().submit(request("s", "r0", "hello", 5)));
            for (int failure = 1; failure <= 2; failure++) {
                if (failure == 2) {
                    // Now the state knows the first close.
                    job.checkpoint();
                }
                job.failAfterChunks(0, () -> {});
                TurnStream closed = job.port().submit(close("s", "c" + failure));
                job.awaitRunning(failure);
                assertClosed(closed);
                assertThat(sessions(job)).isEmpty();
                TurnStream next = job.port().submit(request("s", "next" + failure, "hello", 10));
                awaitComplete(next);
                assertThat(tokens(next)).isEqualTo(expected("user:hello\n", 10));
                assertThat(sessions(job)).containsExactly("s");
            }
        }
    }

    private static void assertClosed(TurnStream closed) throws Exception {
        awaitComplete(closed);
        assertThat(closed.chunkCount()).isOne();
        assertThat(last(closed).getFinished().getReason()).isEqualTo(TurnFinished.Reason.CLOSED);
    }

    private static List<String> sessions(TestingJob job) throws Exception {
        List<String> ids = new ArrayList<>();
        for (SessionInfo session :
                job.control().sessions("", 0).get(1, TimeUnit.MINUTES).getSessionsList()) {
            ids.add(session.getSessionId());
        }
        return ids;
    }

    private TestingJob job(TestInfo test, Configuration options) throws Exception {
        TestingServedModel model = new TestingServedModel(test.getDisplayName(), engine, TestingEngine.MAX_TURN_TOKENS);
        return new TestingJob(model, options);
    }

    private List<Integer> expected(String prompt, int maxTokens) {
        return alone.tokens(TestingModelText.encode(prompt), maxTokens);
    }
}
