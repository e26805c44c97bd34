package io.millrace.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.connector.kafka.broker.JavaCommand;
import io.millrace.connector.kafka.broker.JavaProcess;
import io.millrace.job.cluster.ClusterPlan;
import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.ClusterRole;
import io.millrace.job.cluster.Distribution;
import io.millrace.job.graph.JobConfiguration;
import io.millrace.job.graph.KafkaOptions;
import io.millrace.launcher.AgentClient;
import io.millrace.launcher.LauncherProcess;
import io.millrace.tidy.SourceTree;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Application mode with {@code application-mode.yaml}: a JobManager process that is started with Millrace's job, ends
 * with it when it is stopped with a savepoint, and goes on from that when it is started again.
 */
@Tag("cluster")
@Timeout(300)
class ApplicationModeIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration START_LIMIT = Duration.ofSeconds(90);
    private static final Duration END_LIMIT = Duration.ofSeconds(60);
    private static final long COMMAND_SECONDS = 120;

    @TempDir
    private Path folder;

    @Test
    void jobComesAndGoesWithItsJobManager() throws Exception {
        ClusterPlan plan = ClusterPlan.standard()
                .withProcesses(1, 1)
                .withoutJob()
                .withSettings(SmallCluster.smallSettings(SmallCluster.model(folder)));
        Distribution distribution = Distribution.in(SourceTree.root());
        try (ClusterProcesses cluster = ClusterProcesses.up(folder, plan, distribution, System.out::println)) {
            // The cluster's own JobManager makes room: its TaskManager finds the one that takes its place.
            cluster.kill(ClusterRole.jobManager(1));
            AgentClient agent = new AgentClient(cluster.gatewayUris().get(0));
            ObjectNode firstTurn = AgentClient.chat("Corn and water. ".repeat(60), 8);
            JsonNode first;
            String savepoint;
            try (JavaProcess jobManager = start(cluster, distribution, "first", List.of())) {
                awaitJob(cluster, jobManager);
                first = agent.answer("session", "1", firstTurn);
                savepoint = stop(cluster);
                jobManager.awaitEnd(END_LIMIT);
            }
            try (JavaProcess jobManager =
                    start(cluster, distribution, "second", List.of("--fromSavepoint", savepoint))) {
                awaitJob(cluster, jobManager);
                String content = first.at("/choices/0/message/content").asText();
                JsonNode second = agent.answer("session", "2", AgentClient.next(firstTurn, content, "And then?"));
                assertThat(second.at("/usage/prompt_tokens_details/cached_tokens")
                                .asInt())
                        .isPositive();
                assertThat(agent.answer("session", "1", firstTurn)
                                .at("/choices/0/message/content")
                                .asText())
                        .isEqualTo(content);
                assertThat(jobManager.isAlive()).isTrue();
            }
        }
    }

    private JavaProcess start(ClusterProcesses cluster, Distribution distribution, String name, List<String> arguments)
            throws IOException, InterruptedException {
        List<String> all =
                new ArrayList<>(List.of("--configDir", folder.resolve("conf").toString()));
        all.addAll(List.of("--job-classname", "io.millrace.job.MillraceJobMain"));
        all.addAll(arguments);
        Configuration mode = JobConfiguration.load(distribution.conf("application-mode.yaml"));
        mode.toMap().forEach((key, value) -> all.add("-D" + key + "=" + value));
        all.add("-Drest.bind-port=" + cluster.restUri().getPort());
        all.addAll(List.of("--", "--config", cluster.configFile().toString()));
        all.add("-D" + KafkaOptions.BOOTSTRAP_SERVERS.key() + "=" + cluster.bootstrapServers());
        List<String> classPath = new ArrayList<>(distribution.flinkClassPath());
        classPath.add(distribution.jobJar().toString());
        List<String> jvm = new ArrayList<>(List.of("-Xmx384m"));
        String options = JobConfiguration.load(cluster.configFile()).toMap().getOrDefault("env.java.opts.all", "");
        jvm.addAll(List.of(options.strip().split("\\s+")));
        jvm.add("-Dlog4j.configurationFile=" + folder.resolve("conf/log4j2.properties"));
        JavaCommand command = JavaCommand.of(
                        classPath,
                        "org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint",
                        folder.resolve("work").resolve(name),
                        folder.resolve("logs").resolve(name + ".log"))
                .withJvmArguments(jvm)
                .withArguments(all);
        return JavaProcess.start("application " + name, command);
    }

    /** Waits until all tasks of the one job run; fails with what its JobManager logged. */
    private static void awaitJob(ClusterProcesses cluster, JavaProcess jobManager) throws InterruptedException {
        jobManager.awaitReady(
                () -> {
                    JsonNode jobs = JSON.readTree(
                            cluster.restUri().resolve("/jobs/overview").toURL());
                    JsonNode tasks = jobs.at("/jobs/0/tasks");
                    return tasks.path("total").asInt() > 0
                            && tasks.path("running").asInt()
                                    == tasks.path("total").asInt();
                },
                START_LIMIT);
    }

    /** Stops the job with a savepoint, through the command line. */
    private String stop(ClusterProcesses cluster) throws Exception {
        try (LauncherProcess process = LauncherProcess.start(
                Map.of("MILLRACE_HOME", folder.toString()),
                "stop",
                "--savepoint",
                "--url",
                cluster.restUri().toString())) {
            int code = process.exitCode(COMMAND_SECONDS);
            assertThat(code).as(process.output()).isZero();
            List<String> lines = process.output().lines().toList();
            return lines.get(lines.size() - 1);
        }
    }
}
