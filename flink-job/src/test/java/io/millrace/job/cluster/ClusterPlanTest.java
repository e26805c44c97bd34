package io.millrace.job.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterPlanTest {
    @TempDir
    private Path folder;

    @Test
    void stateIsReadAsItWasWritten() throws IOException {
        ClusterPlan plan = ClusterPlan.standard()
                .withHighAvailability(2)
                .withSettings(Map.of("a", "b"))
                .withPort("rest-1", 7);
        ClusterState state = ClusterState.of(plan)
                .withPorts(Map.of("rest-1", 7, "rpc", 8))
                .withBootstrapServers("127.0.0.1:9")
                .withJob("ab", null);
        state.write(folder);
        assertThat(ClusterState.read(folder)).isEqualTo(state);
        assertThat(ClusterState.read(folder.resolve("none"))).isNull();
    }

    @Test
    void damagedStateIsNamed() throws IOException {
        Files.writeString(folder.resolve("cluster.json"), "{");
        assertThatThrownBy(() -> ClusterState.read(folder))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("cluster.json");
    }

    @Test
    void portsDifferAndStay() throws IOException {
        ClusterPlan plan = ClusterPlan.standard().withProcesses(1, 3);
        Map<String, Integer> first = ClusterPorts.choose(plan, Map.of());
        assertThat(first).containsOnlyKeys("rpc", "rest-1", "gateway-1", "gateway-2", "gateway-3");
        assertThat(first.values()).doesNotHaveDuplicates();
        assertThat(ClusterPorts.choose(plan.withProcesses(1, 4), first)).containsAllEntriesOf(first);
    }

    @Test
    void operatorsGetTheSlotsThatThereAre() throws IOException {
        assertThat(settings(ClusterPlan.standard().withProcesses(4, 1)))
                .containsEntry("millrace.prefill.parallelism", "4")
                .containsEntry("rest.bind-address", "127.0.0.1")
                .doesNotContainKey("metrics.reporters");
        ClusterPlan apart = ClusterPlan.standard()
                .withProcesses(4, 1)
                .withSettings(Map.of("millrace.disaggregation.enabled", "true", "millrace.router.parallelism", "1"));
        assertThat(settings(apart))
                .containsEntry("millrace.prefill.parallelism", "2")
                .containsEntry("millrace.router.parallelism", "1");
    }

    @Test
    void impossiblePlansAreRefused() {
        assertThatThrownBy(() -> ClusterPlan.standard().withProcesses(0, 1)).hasMessageContaining("task managers");
        assertThatThrownBy(() -> ClusterPlan.standard().flinkOnly().withProcesses(1, 1))
                .hasMessageContaining("gateways need Kafka");
    }

    private Map<String, String> settings(ClusterPlan plan) throws IOException {
        Path conf = Files.createDirectories(folder.resolve("dist/conf"));
        Files.write(
                conf.resolve("session-cluster.yaml"),
                List.of("taskmanager.numberOfTaskSlots: 1", "metrics.reporters: prom"));
        ClusterState state = ClusterState.of(plan).withPorts(ClusterPorts.choose(plan, Map.of()));
        return ClusterSettings.of(
                state, new Distribution(folder.resolve("dist"), List.of()), new ClusterFolder(folder));
    }
}
