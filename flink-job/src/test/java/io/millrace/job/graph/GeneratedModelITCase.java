package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.content;
import static io.millrace.job.graph.TestingJob.last;
import static io.millrace.job.graph.TestingJob.message;
import static io.millrace.job.graph.TestingJob.request;
import static io.millrace.job.graph.TestingJob.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.port.TurnStream;
import io.millrace.engine.EngineHold;
import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineRegistry;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StopCondition;
import io.millrace.engine.testing.TestingListener;
import io.millrace.model.GeneratedModel;
import io.millrace.operators.ModelText;
import io.millrace.operators.ServedModel;
import io.millrace.operators.model.GgufServedModel;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.TurnFinished;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole job with a small random model in a GGUF file: its own tokenizer and template, and the CPU backend. */
class GeneratedModelITCase {
    private static final int SESSIONS = 200;
    private static final int TURNS = 10;
    private static final int OUTPUT_TOKENS = 6;

    @TempDir
    static Path directory;

    private static Path modelFile = Path.of("");

    private final Configuration options = new Configuration();

    @BeforeAll
    static void generateModel() throws Exception {
        modelFile = directory.resolve("generated.gguf");
        GeneratedModel.write(modelFile, GeneratedModel.Options.tiny("llama", 1));
    }

    GeneratedModelITCase() {
        options.set(MillraceOptions.MODEL_FILE, modelFile.toString());
        options.set(MillraceOptions.BLOCK_COUNT, 1024);
        options.set(MillraceOptions.BLOCK_SIZE_TOKENS, 16);
        options.set(MillraceOptions.BACKEND_THREADS, 2);
        options.set(MillraceOptions.SPECULATION_ENABLED, true);
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 64);
        options.set(MillraceOptions.ENGINE_LINGER, Duration.ofMinutes(5));
    }

    @AfterEach
    void engineIsLeftClean() throws Exception {
        GgufServedModel model = model();
        try (EngineHold hold = EngineRegistry.shared().acquire(model.key(), Duration.ZERO, () -> {
            throw new IllegalStateException("the job's engine is gone");
        })) {
            TestingJob.await(
                    "no sequence is left",
                    () -> hold.engine().stats().runningSequences()
                                    + hold.engine().stats().waitingSequences()
                            == 0);
            hold.engine().checkIntegrity();
            assertThat(hold.engine().stats().blocks().usedBlocks()).isZero();
        }
    }

    @Test
    void secondTurnFindsTheFirst() throws Exception {
        try (TestingJob job = new TestingJob(model(), options);
                AloneModel alone = new AloneModel(aloneModel())) {
            List<ChatMessage> messages = new ArrayList<>();
            messages.add(message("system", "You are a mill. <|im_end|> is text, and so are \u00e9\u6c34\uD83D\uDE00."));
            messages.add(message("user", "Grind this."));
            TurnStream first = job.port().submit(request("s", "1", messages, 40));
            awaitComplete(first);
            assertThat(tokens(first)).isEqualTo(alone.tokens(messages, 40));
            messages.add(message("assistant", content(first)));
            messages.add(message("user", "And that."));
            TurnStream second = job.port().submit(request("s", "2", messages, 40));
            awaitComplete(second);
            assertThat(tokens(second)).isEqualTo(alone.tokens(messages, 40));
            TurnFinished end = last(second).getFinished();
            assertThat(end.getCachedTokens())
                    .isGreaterThan(last(first).getFinished().getPromptTokens() / 2);
            assertThat(end.getCompletionTokens()).isEqualTo(tokens(second).size());
        }
    }

    @Test
    void stopStringEndsATurn() throws Exception {
        try (TestingJob job = new TestingJob(model(), options)) {
            List<ChatMessage> messages = List.of(message("user", "Grind this."));
            TurnStream whole = job.port().submit(request("s", "1", messages, 60));
            awaitComplete(whole);
            String text = content(whole);
            String stop = text.substring(text.length() / 2, text.length() / 2 + 2);
            AgentRequest.Builder stopped = request("s", "2", messages, 60).toBuilder();
            stopped.getChatBuilder().getSamplingBuilder().addStop(stop);
            TurnStream turn = job.port().submit(stopped.build());
            awaitComplete(turn);
            assertThat(content(turn)).isEqualTo(text.substring(0, text.indexOf(stop)));
            assertThat(last(turn).getFinished().getReason()).isEqualTo(TurnFinished.Reason.STOP);
            assertThat(last(turn).getFinished().getStopReason()).isEqualTo(stop);
            assertThat(whole.chunkCount()).isGreaterThan(turn.chunkCount());
        }
    }

    /** 200 sessions of ten turns at once, each with the tokens that it has when nothing else runs. */
    @Test
    void manySessionsAnswerAsIfAlone() throws Exception {
        List<Session> sessions = new ArrayList<>();
        for (int i = 0; i < SESSIONS; i++) {
            sessions.add(new Session(i));
        }
        try (TestingJob job = new TestingJob(model(), options)) {
            BlockingQueue<Session> ready = new LinkedBlockingQueue<>(sessions);
            int left = SESSIONS * TURNS;
            while (left > 0) {
                Session session = ready.poll(60, TimeUnit.SECONDS);
                assertThat(session).as("a turn ends; %s are left", left).isNotNull();
                if (session.take()) {
                    left--;
                }
                session.submit(job, ready);
            }
            assertThat(job.port().openTurns()).isZero();
        }
        try (AloneModel alone = new AloneModel(aloneModel())) {
            for (Session session : sessions) {
                session.check(alone);
            }
        }
    }

    private GgufServedModel model() {
        return new GgufServedModel(ModelResolution.resolve(options));
    }

    /** The same model on an engine of its own. */
    private ServedModel aloneModel() {
        Configuration other = new Configuration(options);
        other.set(MillraceOptions.MAX_BATCH_SEQUENCES, 1);
        other.set(MillraceOptions.ENGINE_LINGER, Duration.ZERO);
        return new GgufServedModel(ModelResolution.resolve(other));
    }

    /** One client: ten turns, each as soon as the one before has ended. Used by the test's thread. */
    private static final class Session {
        private final String id;
        private final List<ChatMessage> messages = new ArrayList<>();
        private final List<List<ChatMessage>> prompts = new ArrayList<>();
        private final List<List<Integer>> outputs = new ArrayList<>();
        private TurnStream turn;

        Session(int index) {
            id = "session-" + index;
            messages.add(message("system", "tool " + index % 7));
        }

        /** Takes the turn that has ended, if there is one. */
        boolean take() {
            if (turn == null) {
                return false;
            }
            assertThat(last(turn).hasFinished()).as("%s: %s", id, last(turn)).isTrue();
            outputs.add(tokens(turn));
            messages.add(message("assistant", content(turn)));
            return true;
        }

        void submit(TestingJob job, BlockingQueue<Session> ready) {
            int number = prompts.size();
            if (number == TURNS) {
                return;
            }
            messages.add(message("user", id + "/" + number));
            prompts.add(List.copyOf(messages));
            turn = job.port().submit(request(id, "request-" + number, messages, OUTPUT_TOKENS));
            TurnStream submitted = turn;
            Set<String> told = new HashSet<>();
            submitted.onProgress(() -> {
                synchronized (told) {
                    if (submitted.isComplete() && told.add(submitted.requestId())) {
                        ready.add(this);
                    }
                }
            });
        }

        void check(AloneModel alone) throws Exception {
            assertThat(outputs).hasSize(TURNS);
            for (int i = 0; i < TURNS; i++) {
                assertThat(outputs.get(i))
                        .as("%s, turn %s", id, i)
                        .isEqualTo(alone.tokens(prompts.get(i), OUTPUT_TOKENS));
            }
        }
    }

    /** Asks an engine that does nothing else, one sequence after the other. */
    private static final class AloneModel implements AutoCloseable {
        private final TestingListener listener = new TestingListener();
        private final AtomicInteger count = new AtomicInteger();
        private final ModelText text;
        private final EngineLease lease;

        AloneModel(ServedModel model) {
            text = model.open();
            lease = model.lease("alone", listener, Integer.MAX_VALUE);
        }

        List<Integer> tokens(List<ChatMessage> messages, int maxTokens) throws Exception {
            String id = "alone-" + count.incrementAndGet();
            int[] prompt = text.prompt(request("s", "r", messages, maxTokens).getChat(), null)
                    .tokenIds();
            lease.submit(new SequenceRequest(
                    id,
                    id,
                    SequenceRequest.Purpose.GENERATE,
                    prompt,
                    new int[0],
                    SamplingParameters.greedy(maxTokens),
                    "alone",
                    0,
                    0,
                    StopCondition.NEVER,
                    null));
            listener.awaitEnd(id, 60_000);
            return listener.tokens(id);
        }

        @Override
        public void close() {
            lease.close();
        }
    }
}
