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
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.TurnFinished;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/** The whole job on a cluster in the process, over a model without weights that notices every mistake of paging. */
class MillraceJobITCase {
    private static final int QUEUE_CAPACITY = 64;

    @TempDir
    Path directory;

    private final TestingEngine.Alone alone = new TestingEngine.Alone();
    private String name = "";
    private Engine engine;

    @BeforeEach
    void nameAfterTheTest(TestInfo test) {
        name = test.getDisplayName();
    }

    @AfterEach
    void engineIsLeftClean() throws Exception {
        alone.close();
        if (engine != null) {
            TestingJob.await(
                    "no sequence is left",
                    () -> engine.stats().runningSequences() == 0
                            && engine.stats().waitingSequences() == 0);
            engine.checkIntegrity();
            assertThat(engine.stats().blocks().usedBlocks()).isZero();
            engine.close();
        }
    }

    @Test
    void turnIsStreamed() throws Exception {
        try (TestingJob job = job(fast(), new Configuration())) {
            TurnStream turn = job.port().submit(request("s", "r", "hello", 20));
            awaitComplete(turn);
            assertThat(tokens(turn)).isEqualTo(expected("user:hello\n", 20));
            assertThat(content(turn)).isEqualTo(text(tokens(turn)));
            assertThat(turn.chunkCount()).isEqualTo(21);
            TurnFinished end = last(turn).getFinished();
            assertThat(end.getReason()).isEqualTo(TurnFinished.Reason.LENGTH);
            assertThat(end.getPromptTokens()).isEqualTo(11);
            assertThat(end.getCompletionTokens()).isEqualTo(20);
            assertThat(end.getCachedTokens()).isZero();
        }
    }

    @Test
    void laterTurnsFindTheContextOfEarlierOnes() throws Exception {
        Configuration options = new Configuration();
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 32);
        try (TestingJob job = job(fast(), options)) {
            List<ChatMessage> messages = new ArrayList<>();
            messages.add(message("system", "x".repeat(200)));
            int cachedBefore = 0;
            for (int i = 0; i < 5; i++) {
                messages.add(message("user", "question " + i));
                TurnStream turn = job.port().submit(request("s", "r" + i, messages, 24));
                awaitComplete(turn);
                assertThat(tokens(turn)).isEqualTo(expected(rendered(messages), 24));
                TurnFinished end = last(turn).getFinished();
                if (i > 0) {
                    assertThat(end.getCachedTokens()).isGreaterThanOrEqualTo(Math.max(192, cachedBefore));
                    assertThat(end.getCachedTokens()).isLessThan(end.getPromptTokens());
                }
                cachedBefore = end.getCachedTokens();
                messages.add(message("assistant", content(turn)));
            }
        }
    }

    @Test
    void repeatedRequestIsNotRunAgain() throws Exception {
        Configuration options = new Configuration();
        // The port forgets all but the latest turn, so that the job is asked again.
        options.set(MillraceOptions.LOCAL_RETAINED_TURNS, 1);
        try (TestingJob job = job(fast(), options)) {
            Map<String, TurnStream> turns = new LinkedHashMap<>();
            for (String id : List.of("first", "second", "third", "fourth", "fifth")) {
                turns.put(id, answered(job, id));
            }
            assertThat(job.port().submit(request("s", "fifth", "hello", 8))).isSameAs(turns.get("fifth"));
            TurnStream firstAgain = answeredAgain(job, "first");
            assertThat(last(firstAgain).getFailed().getMessage()).contains("no longer held");
            // The refused one took no other turn's place at the port, which has the fifth still.
            for (String id : List.of("second", "fifth", "fourth", "third")) {
                TurnStream again = answeredAgain(job, id);
                assertThat(again).isNotSameAs(turns.get(id));
                assertThat(TestingJob.chunks(again)).isEqualTo(TestingJob.chunks(turns.get(id)));
                assertThat(tokens(again)).isEqualTo(expected("user:hello\n", 8));
            }
            assertThat(engine.stats().outputTokens()).isEqualTo(40);
        }
    }

    @Test
    void turnThatEndsBehindALaterOneDoesNotDisplaceIt() throws Exception {
        Configuration options = new Configuration();
        options.set(MillraceOptions.LOCAL_RETAINED_TURNS, 1);
        try (TestingJob job = job(slow(), options)) {
            TurnStream earlier = job.port().submit(request("s", "earlier", "hello", 200));
            awaitChunks(earlier, 1);
            TurnStream later = answered(job, "later");
            assertThat(earlier.isComplete()).isFalse();
            awaitComplete(earlier);
            TurnStream again = answeredAgain(job, "later");
            assertThat(TestingJob.chunks(again)).isEqualTo(TestingJob.chunks(later));
        }
    }

    private static TurnStream answeredAgain(TestingJob job, String requestId) throws Exception {
        TestingJob.await(
                "the turn " + requestId + " is forgotten",
                () -> job.port().find("s", requestId).isEmpty());
        return answered(job, requestId);
    }

    private static TurnStream answered(TestingJob job, String requestId) throws Exception {
        TurnStream turn = job.port().submit(request("s", requestId, "hello", 8));
        awaitComplete(turn);
        return turn;
    }

    @Test
    void cancelledTurnEndsEarly() throws Exception {
        try (TestingJob job = job(slow(), new Configuration())) {
            TurnStream turn = job.port().submit(request("s", "r", "hello", 1000));
            TurnStream other = job.port().submit(request("s", "other", "hello", 30));
            awaitChunks(turn, 5);
            job.port().cancel("s", "r", "test");
            awaitComplete(turn);
            assertThat(last(turn).getFinished().getReason()).isEqualTo(TurnFinished.Reason.CANCELLED);
            assertThat(tokens(turn))
                    .hasSizeBetween(5, 999)
                    .isEqualTo(expected("user:hello\n", tokens(turn).size()));
            awaitComplete(other);
            assertThat(tokens(other)).isEqualTo(expected("user:hello\n", 30));
        }
    }

    @Test
    void badRequestsAreRefusedAndOthersGoOn() throws Exception {
        try (TestingJob job = job(fast(), new Configuration())) {
            TurnStream tooLong = job.port().submit(request("s", "long", "x".repeat(3000), 10));
            TurnStream tooMuch = job.port().submit(request("s", "much", "hello", 1_000_000_000));
            TurnStream refused = job.port().submit(request("s", "refused", List.of(message("refuse", "")), 10));
            TurnStream defect = job.port().submit(request("s", "defect", List.of(message("defect", "")), 10));
            TurnStream nan = job.port().submit(withTemperature(request("s", "nan", "hello", 10), Float.NaN));
            TurnStream unknown = job.port()
                    .submit(request("s", "model", "hello", 10).toBuilder()
                            .setModel("other")
                            .build());
            TurnStream good = job.port().submit(request("s", "good", "hello", 10));
            assertThat(failure(tooLong)).isEqualTo("CONTEXT_LENGTH_EXCEEDED");
            assertThat(failure(tooMuch)).isEqualTo("CONTEXT_LENGTH_EXCEEDED");
            assertThat(failure(refused)).isEqualTo("TEMPLATE_REFUSED");
            assertThat(failure(defect)).isEqualTo("INTERNAL");
            assertThat(failure(nan)).isEqualTo("INVALID_REQUEST");
            assertThat(last(nan).getFailed().getParam()).isEqualTo("temperature");
            assertThat(failure(unknown)).isEqualTo("MODEL_NOT_FOUND");
            awaitComplete(good);
            assertThat(tokens(good)).isEqualTo(expected("user:hello\n", 10));
        }
    }

    @Test
    void failedJobGoesOnWithTheSameTokens() throws Exception {
        Configuration options = new Configuration();
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 20);
        options.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofHours(1));
        TestingModelInstance instance = fast();
        TestingEngine.StepGate steps = new TestingEngine.StepGate(instance);
        try (TestingJob job = job(instance, options)) {
            List<TurnStream> turns = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                turns.add(job.port().submit(request("s" + i, "r", "x".repeat(10 * i), 150)));
            }
            // First without a checkpoint, then with one of half the turns' tokens, then with an old one.
            for (int failure = 1; failure <= 3; failure++) {
                job.failAfterChunks(300, steps::close);
                steps.open();
                job.awaitRunning(failure);
                if (failure == 1) {
                    job.checkpoint();
                }
            }
            steps.open();
            for (int i = 0; i < 8; i++) {
                awaitComplete(turns.get(i));
                assertThat(tokens(turns.get(i))).isEqualTo(expected("user:" + "x".repeat(10 * i) + "\n", 150));
                assertThat(content(turns.get(i))).isEqualTo(text(tokens(turns.get(i))));
            }
        }
    }

    @Test
    void operatorsOfHigherParallelismAnswerAlike() throws Exception {
        Configuration options = new Configuration();
        options.set(MillraceOptions.ROUTER_PARALLELISM, 2);
        options.set(MillraceOptions.PREFILL_PARALLELISM, 2);
        options.set(MillraceOptions.DECODE_PARALLELISM, 2);
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 20);
        try (TestingJob job = job(fast(), options)) {
            List<TurnStream> turns = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                turns.add(job.port().submit(request("s" + i, "r", "text " + "x".repeat(5 * i), 30)));
            }
            for (int i = 0; i < 20; i++) {
                awaitComplete(turns.get(i));
                assertThat(tokens(turns.get(i))).isEqualTo(expected("user:text " + "x".repeat(5 * i) + "\n", 30));
            }
        }
    }

    @Test
    void drainedJobFinishesItsTurns() throws Exception {
        Configuration options = new Configuration();
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 20);
        try (TestingJob job = job(slow(), options)) {
            List<TurnStream> turns = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                turns.add(job.port().submit(request("s" + i, "r", "x".repeat(10 * i), 50)));
            }
            job.port().drain();
            assertThat(job.awaitEnd()).isEqualTo(JobStatus.FINISHED);
            for (TurnStream turn : turns) {
                assertThat(turn.isComplete()).isTrue();
                assertThat(tokens(turn)).hasSize(50);
            }
        }
    }

    @Test
    void savepointIsResumedInAnotherProcessAtAnotherParallelism() throws Exception {
        String savepoint;
        TestingServedModel model = start(slow());
        try (TestingJob job = new TestingJob(model, new Configuration())) {
            for (int i = 0; i < 6; i++) {
                job.port().submit(request("s" + i, "r", "hello " + i, 150));
            }
            TurnStream ended = job.port().submit(request("ended", "r", "bye", 5));
            awaitComplete(ended);
            awaitChunks(job.port().find("s5", "r").orElseThrow(), 30);
            savepoint = job.stopWithSavepoint(directory.toUri().toString());
        }
        Configuration wider = new Configuration();
        wider.set(MillraceOptions.DECODE_PARALLELISM, 2);
        try (TestingJob job = new TestingJob(model, wider, savepoint)) {
            // A port that knows nothing: whoever asks again gets the whole turn.
            for (int i = 0; i < 6; i++) {
                TurnStream turn = job.port().submit(request("s" + i, "r", "hello " + i, 150));
                awaitComplete(turn);
                assertThat(tokens(turn)).isEqualTo(expected("user:hello " + i + "\n", 150));
            }
            TurnStream ended = job.port().submit(request("ended", "r", "bye", 5));
            awaitComplete(ended);
            assertThat(tokens(ended)).isEqualTo(expected("user:bye\n", 5));
        }
    }

    @Test
    void fullEngineHoldsTurnsBackAndLosesNone() throws Exception {
        Configuration options = new Configuration();
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 20);
        options.set(MillraceOptions.PREFILL_PENDING_TURNS, 3);
        options.set(MillraceOptions.DECODE_PENDING_TURNS, 2);
        engine = TestingEngine.started(fast(), 2);
        TestingServedModel model = new TestingServedModel(name, engine, TestingEngine.MAX_TURN_TOKENS);
        try (TestingJob job = new TestingJob(model, options)) {
            List<TurnStream> turns = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                turns.add(job.port().submit(request("s" + i, "r", "x".repeat(i), 40)));
            }
            for (int i = 0; i < 60; i++) {
                awaitComplete(turns.get(i));
                assertThat(tokens(turns.get(i))).isEqualTo(expected("user:" + "x".repeat(i) + "\n", 40));
            }
        }
    }

    private TestingModelInstance fast() {
        return TestingEngine.instance(512);
    }

    private TestingModelInstance slow() {
        return TestingEngine.slowInstance(512, 2000);
    }

    private TestingJob job(TestingModelInstance instance, Configuration options) throws Exception {
        return new TestingJob(start(instance), options);
    }

    private TestingServedModel start(TestingModelInstance instance) {
        engine = TestingEngine.started(instance, QUEUE_CAPACITY);
        return model();
    }

    private TestingServedModel model() {
        return new TestingServedModel(name, engine, TestingEngine.MAX_TURN_TOKENS);
    }

    private List<Integer> expected(String prompt, int maxTokens) {
        return alone.tokens(TestingModelText.encode(prompt), maxTokens);
    }

    private static String rendered(List<ChatMessage> messages) {
        StringBuilder text = new StringBuilder();
        for (ChatMessage message : messages) {
            text.append(message.getRole())
                    .append(':')
                    .append(message.getContent())
                    .append('\n');
        }
        return text.toString();
    }

    private static String text(List<Integer> tokens) {
        StringBuilder text = new StringBuilder();
        tokens.forEach(text::appendCodePoint);
        return text.toString();
    }

    private static String failure(TurnStream turn) throws Exception {
        awaitComplete(turn);
        return last(turn).getFailed().getCode();
    }

    private static AgentRequest withTemperature(AgentRequest request, float temperature) {
        AgentRequest.Builder builder = request.toBuilder();
        builder.getChatBuilder().getSamplingBuilder().setTemperature(temperature);
        return builder.build();
    }
}
