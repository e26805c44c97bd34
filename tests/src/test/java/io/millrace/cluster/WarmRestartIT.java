package io.millrace.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.job.client.RunningJob;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.launcher.AgentClient;
import io.millrace.model.GeneratedModel;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.flink.client.program.rest.RestClusterClient;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Engine, weights and blocks outlive a restart of the job in the same TaskManager, with Millrace in the cluster's own
 * class path. The tiers below the device are off, so what is cached is what the engine has.
 */
@Timeout(300)
class WarmRestartIT {
    private static final String MODEL = "warm";
    private static final int BLOCK_TOKENS = 32;
    private static final int EVENTS = 60;
    private static final long LIMIT_SECONDS = 120;

    @TempDir
    private Path folder;

    private final int gatewayPort = StandaloneCluster.freePort();
    private final AgentClient agent = new AgentClient(URI.create("http://127.0.0.1:" + gatewayPort));

    @Test
    void restartedJobComputesNothingAgain() throws Exception {
        Path model = folder.resolve(MODEL + ".gguf");
        GeneratedModel.Options tiny = GeneratedModel.Options.tiny("llama", 5);
        GeneratedModel.write(model, tiny.withShape(12, 256, 768, 4, 2, 64).withLimits(tiny.vocabSize(), 60_000));
        try (StandaloneCluster cluster = new StandaloneCluster(folder)) {
            submit(cluster, options(model), null);
            ObjectNode firstTurn = AgentClient.chat("Corn and water. ".repeat(60), 20);
            JsonNode first = agent.answer("session", "1", firstTurn);
            assertThat(cachedTokens(first)).isZero();
            int context = first.at("/usage/prompt_tokens").asInt();

            String savepoint = stop(cluster);
            submit(cluster, options(model), savepoint);
            ObjectNode secondTurn = AgentClient.next(firstTurn, content(first), "And after a restart?");
            JsonNode second = agent.answer("session", "2", secondTurn);
            assertThat(cachedTokens(second)).isGreaterThan(context - BLOCK_TOKENS);

            turnOutlivesAFailedTask();
            int grown = second.at("/usage/prompt_tokens").asInt();
            JsonNode third =
                    agent.answer("session", "3", AgentClient.next(secondTurn, content(second), "And after a failure?"));
            assertThat(cachedTokens(third)).isGreaterThan(grown - BLOCK_TOKENS);

            assertThat(cluster.taskManagerLog().stream().filter(line -> line.contains("loading " + model)))
                    .as("the model is loaded once")
                    .hasSize(1);
        }
    }

    private void turnOutlivesAFailedTask() throws Exception {
        ObjectNode longTurn = AgentClient.chat("Grind for long.", 4_000);
        List<String> tokens;
        try (AgentClient.Stream turn = agent.stream("running", "1", longTurn)) {
            tokens = turn.read(EVENTS);
            // Its first chunk fails the task; it is answered by the job that was restarted.
            agent.answer(ClusterSink.FAILING_SESSION, "1", AgentClient.chat("Fail.", 5));
            tokens.addAll(turn.read(EVENTS));
        }
        try (AgentClient.Stream undisturbed = agent.stream("undisturbed", "1", longTurn)) {
            assertThat(tokens).isEqualTo(undisturbed.read(tokens.size()));
        }
    }

    private Configuration options(Path model) {
        Configuration options = new Configuration();
        options.set(MillraceOptions.MODEL_FILE, model.toString());
        options.set(MillraceOptions.HOST_TIER_ENABLED, false);
        options.set(MillraceOptions.STATE_TIER_ENABLED, false);
        options.setString(MillraceOptions.KV_MEMORY.key(), "128 mb");
        options.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(500));
        options.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                folder.resolve("checkpoints").toUri().toString());
        options.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
        options.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, 3);
        options.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(100));
        return options;
    }

    private void submit(StandaloneCluster cluster, Configuration options, @Nullable String savepoint) throws Exception {
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(options);
        MillraceJob.define(
                environment,
                options,
                MillraceJob.servedModel(options),
                ClusterSource.of(gatewayPort, MODEL),
                new ClusterSink(gatewayPort, MODEL));
        JobGraph graph = environment.getStreamGraph().getJobGraph();
        if (savepoint != null) {
            graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(savepoint, false));
        }
        Configuration client = new Configuration();
        client.set(RestOptions.ADDRESS, cluster.restUri().getHost());
        client.set(RestOptions.PORT, cluster.restUri().getPort());
        try (RestClusterClient<String> rest = new RestClusterClient<>(client, "test")) {
            rest.submitJob(graph).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!agent.isReady()) {
            assertThat(cluster.isAlive()).as(cluster.logs()).isTrue();
            assertThat(System.nanoTime()).as(cluster.logs()).isLessThan(deadline);
            Thread.sleep(50);
        }
    }

    /** Through what {@code ./millrace stop --savepoint} calls. */
    private String stop(StandaloneCluster cluster) {
        try (RunningJob job = RunningJob.connect(cluster.restUri(), null)) {
            assertThat(job.sessions(10).sessions())
                    .singleElement()
                    .satisfies(session -> assertThat(session.getSessionId()).isEqualTo("session"));
            return job.stop(folder.resolve("savepoints").toUri().toString(), SavepointFormatType.NATIVE);
        }
    }

    private static int cachedTokens(JsonNode answer) {
        return answer.at("/usage/prompt_tokens_details/cached_tokens").asInt();
    }

    private static String content(JsonNode answer) {
        return answer.at("/choices/0/message/content").asText();
    }
}
