package io.millrace.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.ClusterRole;
import io.millrace.job.cluster.Distribution;
import io.millrace.launcher.AgentClient;
import io.millrace.launcher.LauncherProcess;
import io.millrace.model.GeneratedModel;
import io.millrace.tidy.SourceTree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./millrace cluster} and {@code submit} as a user runs them, with a model that computes fast. */
@Tag("cluster")
@Timeout(600)
class ClusterIT {
    private static final long LIMIT_SECONDS = 300;

    @TempDir
    private Path home;

    @AfterEach
    void nothingStaysBehind() {
        ClusterProcesses left = ClusterProcesses.find(home.resolve("cluster"), Distribution.in(SourceTree.root()));
        if (left != null) {
            left.close();
        }
    }

    @Test
    void sessionGoesOnThroughUpgradesAndRestarts() throws Exception {
        Path model = home.resolve("tiny.gguf");
        GeneratedModel.write(model, GeneratedModel.Options.tiny("llama", 5));
        String up = up(model);
        ClusterProcesses cluster = ClusterProcesses.find(home.resolve("cluster"), Distribution.in(SourceTree.root()));
        assertThat(up).contains(cluster.restUri().toString(), cluster.bootstrapServers(), "curl -N");
        assertThat(millrace(0, "cluster", "status")).doesNotContain("has ended");

        AgentClient agent = new AgentClient(cluster.gatewayUris().get(0));
        ObjectNode firstTurn = AgentClient.chat("Corn and water. ".repeat(20), 8);
        JsonNode first = agent.answer("session", "1", firstTurn);
        assertThat(millrace(0, "sessions")).contains("session");

        // An upgrade: with a savepoint, at another parallelism, by Flink's client.
        Path savepoint = lastLine(millrace(0, "stop", "--savepoint"));
        assertThat(savepoint.resolve("_metadata")).exists();
        millrace(0, "submit", "--from", savepoint.toString(), "-D", "millrace.decode.parallelism=1");
        ObjectNode secondTurn = AgentClient.next(firstTurn, content(first), "And after an upgrade?");
        JsonNode second = agent.answer("session", "2", secondTurn);
        assertThat(cachedTokens(second)).isPositive();
        // The repeat of a turn is answered from what was kept.
        assertThat(content(agent.answer("session", "1", firstTurn))).isEqualTo(content(first));

        // What was killed is replaced, under the same address.
        cluster.kill(ClusterRole.gateway(1));
        cluster.kill(ClusterRole.taskManager(2));
        assertThat(millrace(1, "cluster", "status")).contains("has ended");
        millrace(0, "cluster", "up", "--model", model.toString());
        JsonNode third =
                agent.answer("session", "3", AgentClient.next(secondTurn, content(second), "And after a kill?"));
        assertThat(cachedTokens(third)).isPositive();

        assertThat(millrace(0, "cluster", "down")).contains("savepoint-");
        assertThat(millrace(1, "cluster", "status")).contains("has ended");
    }

    @Test
    void prefillAndDecodeHaveTaskManagersOfTheirOwn() throws Exception {
        Path model = home.resolve("tiny.gguf");
        GeneratedModel.write(model, GeneratedModel.Options.tiny("llama", 6));
        String up = up(model, "--disaggregated");
        ClusterProcesses cluster = ClusterProcesses.find(home.resolve("cluster"), Distribution.in(SourceTree.root()));
        Matcher job = Pattern.compile("job +([0-9a-f]{32})").matcher(up);
        assertThat(job.find()).as(up).isTrue();
        FlinkMetrics metrics = new FlinkMetrics(cluster.restUri(), job.group(1));
        assertThat(metrics.taskManagers("Prefill"))
                .isNotEmpty()
                .doesNotContainAnyElementsOf(metrics.taskManagers("Decode"));

        AgentClient agent = new AgentClient(cluster.gatewayUris().get(0));
        ObjectNode firstTurn = AgentClient.chat("Corn and water. ".repeat(100), 8);
        JsonNode first = agent.answer("session", "1", firstTurn);
        // Flink fetches metrics every so often.
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!(metrics.max("Decode", "handover_blocks_inserted_total") > 0)) {
            assertThat(System.nanoTime()).as("no block was handed over").isLessThan(deadline);
            Thread.sleep(500);
        }
        ObjectNode secondTurn = AgentClient.next(firstTurn, content(first), "And then?");
        assertThat(cachedTokens(agent.answer("session", "2", secondTurn))).isPositive();
        assertThat(millrace(0, "cluster", "down")).contains("savepoint-");
    }

    private String up(Path model, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("cluster", "up", "--model", model.toString()));
        arguments.addAll(List.of("--task-manager-memory", "1200m", "-D", "millrace.engine.kv-memory=64 mb"));
        arguments.addAll(Arrays.asList(more));
        return millrace(0, arguments.toArray(new String[0]));
    }

    private String millrace(int exitCode, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(Arrays.asList(arguments));
        try (LauncherProcess process =
                LauncherProcess.start(Map.of("MILLRACE_HOME", home.toString()), all.toArray(new String[0]))) {
            int code = process.exitCode(LIMIT_SECONDS);
            assertThat(code).as(all + "\n" + process.output()).isEqualTo(exitCode);
            return process.output();
        }
    }

    private static Path lastLine(String output) {
        List<String> lines = output.lines().toList();
        Path path = Path.of(lines.get(lines.size() - 1));
        assertThat(Files.isDirectory(path)).as(output).isTrue();
        return path;
    }

    private static int cachedTokens(JsonNode answer) {
        return answer.at("/usage/prompt_tokens_details/cached_tokens").asInt();
    }

    private static String content(JsonNode answer) {
        return answer.at("/choices/0/message/content").asText();
    }
}
