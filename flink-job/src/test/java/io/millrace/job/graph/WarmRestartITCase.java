package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitChunks;
import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.content;
import static io.millrace.job.graph.TestingJob.last;
import static io.millrace.job.graph.TestingJob.message;
import static io.millrace.job.graph.TestingJob.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.port.TurnStream;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineHold;
import io.millrace.engine.EngineRegistry;
import io.millrace.model.GeneratedModel;
import io.millrace.operators.model.GgufServedModel;
import io.millrace.proto.ChatMessage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The engine, its weights and its blocks outlive a job in the same process: counted by the prompt tokens that the engine
 * computes. The tiers below the device are off, so nothing else can have kept the blocks.
 */
class WarmRestartITCase {
    private static final int BLOCK_TOKENS = 16;

    @TempDir
    private Path directory;

    @Test
    void restartedJobsFindTheirBlocks() throws Exception {
        Path file = directory.resolve("generated.gguf");
        GeneratedModel.write(file, GeneratedModel.Options.tiny("llama", 1));
        Configuration options = options(file);
        GgufServedModel model = MillraceJob.servedModel(options);
        List<ChatMessage> messages = new ArrayList<>(List.of(message("user", "Corn and water. ".repeat(60))));
        int context;
        String savepoint;
        Engine engine;
        try (TestingJob job = new TestingJob(model, options)) {
            engine = engine(model);
            context = take(job, "1", messages);
            savepoint = job.stopWithSavepoint(directory.resolve("sp").toUri().toString());
        }
        long computedBefore = engine.stats().promptTokens();
        try (TestingJob job = new TestingJob(model, options, savepoint)) {
            assertThat(engine(model)).as("the engine of the job before").isSameAs(engine);
            messages.add(message("user", "And after a restart?"));
            int prompt = take(job, "2", messages);
            long computed = engine.stats().promptTokens() - computedBefore;
            assertThat(computed).isPositive().isLessThan(prompt - context + BLOCK_TOKENS);

            failedTaskComputesItsContextAtMostByABlock(job, engine, messages);
        }
        engine.checkIntegrity();
    }

    private static void failedTaskComputesItsContextAtMostByABlock(
            TestingJob job, Engine engine, List<ChatMessage> messages) throws Exception {
        job.checkpoint();
        // Slow enough to be under way when the task fails.
        job.slowSinkDown(1_000_000);
        TurnStream turn = job.port().submit(request("s", "3", messages, 400));
        awaitChunks(turn, 10);
        job.checkpoint();
        long before = engine.stats().promptTokens();
        job.failAfterChunks(5, () -> {});
        job.awaitRunning(1);
        job.slowSinkDown(0);
        awaitComplete(turn);
        assertThat(TestingJob.tokens(turn)).isNotEmpty();
        // The tokens of the last, unfinished block, once more; and those that were generated since the checkpoint are
        // not prompt tokens at all.
        assertThat(engine.stats().promptTokens() - before).isLessThanOrEqualTo(2 * BLOCK_TOKENS);
    }

    /** Has a turn answered; returns its prompt's tokens. The answer becomes a part of the conversation. */
    private static int take(TestingJob job, String requestId, List<ChatMessage> messages) throws Exception {
        TurnStream turn = job.port().submit(request("s", requestId, messages, 20));
        awaitComplete(turn);
        messages.add(message("assistant", content(turn)));
        return last(turn).getFinished().getPromptTokens();
    }

    private static Engine engine(GgufServedModel model) {
        try (EngineHold hold = EngineRegistry.shared().acquire(model.key(), Duration.ofMinutes(1), () -> {
            throw new IllegalStateException("there is no engine");
        })) {
            return hold.engine();
        }
    }

    private static Configuration options(Path file) {
        Configuration options = new Configuration();
        options.set(MillraceOptions.MODEL_FILE, file.toString());
        options.set(MillraceOptions.BLOCK_COUNT, 512);
        options.set(MillraceOptions.BLOCK_SIZE_TOKENS, BLOCK_TOKENS);
        options.set(MillraceOptions.BACKEND_THREADS, 1);
        options.set(MillraceOptions.HOST_TIER_ENABLED, false);
        options.set(MillraceOptions.STATE_TIER_ENABLED, false);
        return options;
    }
}
