package io.millrace.job.cluster;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.millrace.connector.kafka.broker.JavaProcess;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a cluster's folder knows of it, in {@code cluster.json}.
 *
 * @param plan what it is made of
 * @param ports what each part listens at, by name; they stay when processes are replaced
 * @param processes by the label of their role; those that were killed are among them
 * @param bootstrapServers where Kafka's clients begin; empty without a broker
 * @param job the id of Millrace's job; null if it was not submitted
 * @param savepoint what the next job goes on from; null if there is none
 */
record ClusterState(
        ClusterPlan plan,
        Map<String, Integer> ports,
        Map<String, Started> processes,
        String bootstrapServers,
        @Nullable String job,
        @Nullable String savepoint) {
    private static final String FILE = "cluster.json";
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    ClusterState {
        requireNonNull(plan, "plan");
        ports = new TreeMap<>(ports);
        processes = new TreeMap<>(processes);
        requireNonNull(bootstrapServers, "bootstrapServers");
    }

    /**
     * A process that was started.
     *
     * @param started when, as {@link JavaProcess#startTime} tells it: an id alone may have become another process's
     * @param log where its output goes
     */
    record Started(long pid, String started, String log) {
        static Started of(JavaProcess process) {
            return new Started(
                    process.pid(),
                    process.startTime().toString(),
                    process.logFile().toString());
        }

        /** The process, if it runs. */
        Optional<JavaProcess> find(String name) {
            return JavaProcess.find(name, pid, Instant.parse(started), Path.of(log));
        }
    }

    /** Of a cluster of which nothing runs. */
    static ClusterState of(ClusterPlan plan) {
        return new ClusterState(plan, Map.of(), Map.of(), "", null, null);
    }

    ClusterState withPlan(ClusterPlan newPlan) {
        return new ClusterState(newPlan, ports, processes, bootstrapServers, job, savepoint);
    }

    ClusterState withPorts(Map<String, Integer> newPorts) {
        return new ClusterState(plan, newPorts, processes, bootstrapServers, job, savepoint);
    }

    ClusterState withProcess(ClusterRole role, JavaProcess process) {
        Map<String, Started> joined = new TreeMap<>(processes);
        joined.put(role.label(), Started.of(process));
        return new ClusterState(plan, ports, joined, bootstrapServers, job, savepoint);
    }

    ClusterState withoutProcesses() {
        return new ClusterState(plan, ports, Map.of(), bootstrapServers, null, savepoint);
    }

    ClusterState withBootstrapServers(String servers) {
        return new ClusterState(plan, ports, processes, servers, job, savepoint);
    }

    ClusterState withJob(@Nullable String newJob, @Nullable String newSavepoint) {
        return new ClusterState(plan, ports, processes, bootstrapServers, newJob, newSavepoint);
    }

    /** The process of a role, if it runs. */
    Optional<JavaProcess> process(ClusterRole role) {
        Started started = processes.get(role.label());
        return started == null ? Optional.empty() : started.find(role.label());
    }

    /** Whether any process runs. */
    boolean anyAlive() {
        return processes.entrySet().stream()
                .anyMatch(entry -> entry.getValue().find(entry.getKey()).isPresent());
    }

    int port(String name) {
        Integer port = ports.get(name);
        if (port == null) {
            throw new IllegalStateException("no port " + name + " was chosen");
        }
        return port;
    }

    /**
     * Reads a folder's.
     *
     * @return null if it has none
     * @throws ServingException {@code INVALID_REQUEST} if it is damaged
     */
    static @Nullable ClusterState read(Path folder) {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return null;
        }
        try {
            return JSON.readValue(file.toFile(), ClusterState.class);
        } catch (IOException e) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Writes it, whole or not at all. */
    void write(Path folder) throws IOException {
        Path written = Files.createTempFile(folder, "writing-", ".tmp");
        JSON.writeValue(written.toFile(), this);
        Files.move(written, folder.resolve(FILE), StandardCopyOption.REPLACE_EXISTING);
    }
}
