package io.millrace.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.durability.AgentScript;
import io.millrace.job.cluster.ClusterPlan;
import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.Distribution;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.model.GeneratedModel;
import io.millrace.tidy.SourceTree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A cluster of real processes that serves a small generated model, and agents to work with it. */
final class SmallCluster implements AutoCloseable {
    /** Long enough for a turn to live through several failures. */
    private static final Duration TURN_LIMIT = Duration.ofSeconds(300);

    private static final Duration AUDIT_LIMIT = Duration.ofSeconds(60);
    private static final int NEVER = Integer.MAX_VALUE;

    private final ClusterProcesses processes;

    private SmallCluster(ClusterProcesses processes) {
        this.processes = processes;
    }

    /** Starts one, with settings over those that make it small. */
    static SmallCluster up(Path folder, ClusterPlan plan, Map<String, String> settings) throws Exception {
        Map<String, String> joined = new TreeMap<>(smallSettings(model(folder)));
        joined.putAll(settings);
        return new SmallCluster(ClusterProcesses.up(
                folder, plan.withSettings(joined), Distribution.in(SourceTree.root()), System.out::println));
    }

    /** The model, in the cluster's folder: what costs time here is to be the cluster, and not the maths. */
    static Path model(Path folder) throws Exception {
        Path file = Files.createDirectories(folder).resolve("small.gguf");
        if (!Files.exists(file)) {
            GeneratedModel.Options tiny = GeneratedModel.Options.tiny("llama", 5);
            GeneratedModel.write(file, tiny.withShape(2, 128, 384, 4, 2, 32).withLimits(tiny.vocabSize(), 16_384));
        }
        return file;
    }

    /** What makes a cluster small, with checkpoints often. */
    static Map<String, String> smallSettings(Path model) {
        return Map.of(
                MillraceOptions.MODEL_FILE.key(),
                model.toString(),
                MillraceOptions.BLOCK_SIZE_TOKENS.key(),
                "16",
                MillraceOptions.BACKEND_THREADS.key(),
                "1",
                MillraceOptions.KV_MEMORY.key(),
                "96 mb",
                "execution.checkpointing.interval",
                "1 s",
                "execution.checkpointing.min-pause",
                "200 ms",
                "taskmanager.memory.process.size",
                "1200 mb",
                "taskmanager.memory.managed.size",
                "128 mb");
    }

    ClusterProcesses processes() {
        return processes;
    }

    /** A client that sends a request until it is taken. */
    RecordingClient client() {
        return new RecordingClient(processes::gatewayUris, TURN_LIMIT, NEVER);
    }

    /** What the topics hold of sessions whose names begin so. */
    TopicRecords topics(String prefix) throws Exception {
        return topics(processes, prefix);
    }

    /** What the topics of a cluster hold of sessions whose names begin so. */
    static TopicRecords topics(ClusterProcesses processes, String prefix) throws Exception {
        return new TopicAuditor(processes.bootstrapServers(), TopicAuditor.Topics.DEFAULT, AUDIT_LIMIT)
                .read()
                .of(prefix);
    }

    /** Plays a script without any disturbance, and checks what was recorded as far as that can be. */
    List<ClientTurn> undisturbed(AgentScript script, long seconds) throws Exception {
        String prefix = "undisturbed-";
        try (AgentCrowd crowd = AgentCrowd.start(script, client(), new AgentCrowd.Plan(prefix, 0, 0, false))) {
            assertThat(crowd.await(seconds)).as("the undisturbed run ends").isTrue();
            assertThat(new RunChecker(crowd.turns()).problems(crowd.turns(), topics(prefix)))
                    .isEmpty();
            assertThat(crowd.turns()).hasSize(script.turnCount());
            return crowd.turns();
        }
    }

    @Override
    public void close() {
        processes.close();
    }
}
