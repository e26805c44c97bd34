package io.millrace.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.job.graph.JobConfiguration;
import io.millrace.tidy.SourceTree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.HeartbeatManagerOptions;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessSpec;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.apache.flink.runtime.jobmanager.JobManagerProcessUtils;
import org.junit.jupiter.api.Test;

/** The YAML of {@code jobs-config} says what Flink and Millrace read. */
class SettingsFilesTest {
    private static final Path FOLDER = SourceTree.root().resolve("jobs-config");
    private static final long MEBIBYTE = 1 << 20;

    @Test
    void everyOptionExistsAndIsOfItsType() throws Exception {
        KnownOptions known = new KnownOptions();
        for (Path file : files()) {
            assertThat(known.faults(JobConfiguration.load(file)))
                    .as(file.toString())
                    .isEmpty();
        }
        assertThat(known.faults(Configuration.fromMap(Map.of("task.slots", "1", "heartbeat.timeout", "soon"))))
                .hasSize(2);
        assertThat(files()).hasSizeGreaterThanOrEqualTo(5);
    }

    @Test
    void memorySizesFitTogether() {
        Configuration session = JobConfiguration.load(FOLDER.resolve("session-cluster.yaml"));
        TaskExecutorProcessSpec taskManager = TaskExecutorProcessUtils.processSpecFromConfig(session);
        // The demo's model, the engine's blocks and half as much for all else.
        assertThat(taskManager.getTaskHeapSize().getBytes()).isGreaterThan(900 * MEBIBYTE);
        assertThat(JobManagerProcessUtils.processSpecFromConfig(session)
                        .getJvmHeapMemorySize()
                        .getBytes())
                .isGreaterThan(200 * MEBIBYTE);
    }

    @Test
    void failuresAreNoticedInSeconds() {
        Configuration session = JobConfiguration.load(FOLDER.resolve("session-cluster.yaml"));
        assertThat(session.get(HeartbeatManagerOptions.HEARTBEAT_TIMEOUT)).hasSeconds(5);
        assertThat(session.get(JobManagerOptions.SCHEDULER)).isEqualTo(JobManagerOptions.SchedulerType.Adaptive);
        assertThat(session.get(JobManagerOptions.SCHEDULER_SUBMISSION_RESOURCE_WAIT_TIMEOUT))
                .as("a job waits for its TaskManagers; Flink takes no negative time here")
                .isGreaterThan(Duration.ofDays(1));
        assertThat(session.get(CheckpointingOptions.ENABLE_UNALIGNED)).isTrue();
        assertThat(session.get(TaskManagerOptions.TASK_MANAGER_LOAD_BALANCE_MODE))
                .isEqualTo(TaskManagerOptions.TaskManagerLoadBalanceMode.SLOTS);
    }

    private static List<Path> files() throws Exception {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.filter(file -> file.toString().endsWith(".yaml")).toList();
        }
    }
}
