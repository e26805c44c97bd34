package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitChunks;
import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.message;
import static io.millrace.job.graph.TestingJob.request;
import static io.millrace.job.graph.TestingJob.tokens;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.connector.port.TurnStream;
import io.millrace.engine.speculation.DrafterKind;
import io.millrace.kv.ServingException;
import io.millrace.model.GeneratedModel;
import io.millrace.model.ModelCopy;
import io.millrace.operators.decode.SpeculationMetrics;
import io.millrace.operators.model.GgufServedModel;
import io.millrace.proto.AgentRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.runtime.testutils.InMemoryReporter;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole job with a model and its own first layers as the model that drafts for it. */
class DraftModelITCase {
    private static final int TURNS = 8;
    private static final int OUTPUT_TOKENS = 600;
    private static final int BLOCK_TOKENS = 16;
    /** Of the draft model: 3 layers, keys and values of 2 heads of 16 floats, 16 tokens. */
    private static final int DRAFT_BLOCK_BYTES = 3 * 2 * 2 * 16 * Float.BYTES * BLOCK_TOKENS;

    @TempDir
    static Path directory;

    private static Path large = Path.of("");
    private static Path small = Path.of("");

    @BeforeAll
    static void generateModels() throws Exception {
        large = directory.resolve("large.gguf");
        small = directory.resolve("small.gguf");
        GeneratedModel.write(large, GeneratedModel.Options.tiny("llama", 31).withShape(4, 64, 96, 4, 2, 16));
        ModelCopy.firstLayers(large, small, 3);
    }

    @Test
    void draftsChangeNoTokenAndGoOnFromASavepointAndAFailure() throws Exception {
        List<List<Integer>> plain = new ArrayList<>();
        try (TestingJob job = new TestingJob(model(plainOptions()), plainOptions())) {
            for (TurnStream turn : submit(job)) {
                awaitComplete(turn);
                plain.add(tokens(turn));
            }
        }
        assertThat(plain.get(0)).hasSize(OUTPUT_TOKENS);
        String savepoint;
        InMemoryReporter reporter = InMemoryReporter.createWithRetainedMetrics();
        Configuration options = reporter.addToConfiguration(draftOptions());
        try (TestingJob job = new TestingJob(model(options), options)) {
            // Slow enough to be under way when the job is stopped: more chunks than there is room for on the way.
            job.slowSinkDown(2_000_000);
            List<TurnStream> turns = submit(job);
            for (TurnStream turn : turns) {
                awaitChunks(turn, 10);
            }
            savepoint = job.stopWithSavepoint(directory.toUri().toString());
            assertThat(turns).anyMatch(turn -> tokens(turn).size() < OUTPUT_TOKENS);
        }
        // The engine went with its job, and all that either model had computed.
        InMemoryReporter next = InMemoryReporter.createWithRetainedMetrics();
        Configuration nextOptions = next.addToConfiguration(draftOptions());
        try (TestingJob job = new TestingJob(model(nextOptions), nextOptions, savepoint)) {
            job.failAfterChunks(50, () -> {});
            List<TurnStream> turns = submit(job);
            job.awaitRunning(1);
            for (int i = 0; i < TURNS; i++) {
                awaitComplete(turns.get(i));
                assertThat(tokens(turns.get(i))).as("turn %s", i).isEqualTo(plain.get(i));
            }
            // Whether a guess pays is measured: a slow moment may leave one of the two jobs without any.
            assertThat(acceptedTokens(reporter) + acceptedTokens(next)).isPositive();
        }
    }

    @Test
    void modelOfAnotherVocabularyIsRefusedByName() throws Exception {
        Path other = directory.resolve("other.gguf");
        GeneratedModel.write(other, GeneratedModel.Options.tiny("llama", 1).withLimits(600, 4096));
        Configuration options = draftOptions();
        options.set(MillraceOptions.SPECULATION_DRAFT_MODEL, other.toString());
        assertThatThrownBy(() -> model(options).lease("test", output -> {}, 1))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("other.gguf has a vocabulary of 600 tokens");
        options.set(MillraceOptions.SPECULATION_DRAFT_MODEL, "nowhere.gguf");
        assertThatThrownBy(() -> model(options).lease("test", output -> {}, 1))
                .isInstanceOf(ServingException.class)
                .hasMessageContainingAll("the draft model", "nowhere.gguf: cannot be read");
    }

    private static long acceptedTokens(InMemoryReporter reporter) {
        List<Object> attempts = new TestingMetrics(reporter)
                .gauges("Decode", "drafter.draft_model", SpeculationMetrics.ACCEPTED_TOKENS);
        return attempts.stream().mapToLong(tokens -> (Long) tokens).sum();
    }

    /** Turns that are greedy and at temperature 1, in turns. */
    private static List<TurnStream> submit(TestingJob job) {
        List<TurnStream> turns = new ArrayList<>();
        for (int i = 0; i < TURNS; i++) {
            AgentRequest.Builder request =
                    request("s" + i, "r", List.of(message("user", "Grind this, " + i)), OUTPUT_TOKENS).toBuilder();
            request.getChatBuilder().getSamplingBuilder().setTemperature(i % 2).setSeed(i);
            turns.add(job.port().submit(request.build()));
        }
        return turns;
    }

    private static GgufServedModel model(Configuration options) {
        return MillraceJob.servedModel(options);
    }

    private static Configuration plainOptions() {
        Configuration options = new Configuration();
        options.set(MillraceOptions.MODEL_NAME, "testing");
        options.set(MillraceOptions.MODEL_FILE, large.toString());
        options.set(MillraceOptions.BLOCK_COUNT, 512);
        options.set(MillraceOptions.BLOCK_SIZE_TOKENS, BLOCK_TOKENS);
        options.set(MillraceOptions.BACKEND_THREADS, 1);
        options.set(MillraceOptions.ENGINE_LINGER, Duration.ZERO);
        return options;
    }

    private static Configuration draftOptions() {
        Configuration options = plainOptions();
        options.set(MillraceOptions.SPECULATION_ENABLED, true);
        options.set(MillraceOptions.SPECULATION_DRAFTERS, List.of(DrafterKind.MODEL));
        options.set(MillraceOptions.SPECULATION_DRAFT_MODEL, small.toString());
        // Blocks for about half of the turns at once: some lose theirs to others.
        options.set(MillraceOptions.SPECULATION_DRAFT_KV_MEMORY, new MemorySize(200L * DRAFT_BLOCK_BYTES));
        return options;
    }
}
