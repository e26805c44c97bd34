package io.millrace.job.cluster;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Where a cluster on one machine keeps what is its own: {@code conf/}, {@code logs/}, {@code kafka/}, {@code
 * zookeeper/}, {@code checkpoints/}, {@code savepoints/}, {@code ha/}, and what its processes need while they run.
 *
 * @param path absolute
 */
record ClusterFolder(Path path) {
    ClusterFolder {
        path = requireNonNull(path, "path").toAbsolutePath().normalize();
    }

    Path conf() {
        return path.resolve("conf");
    }

    /** Everything that was decided, for Flink's processes, the job and the gateways. */
    Path configFile() {
        return conf().resolve("config.yaml");
    }

    Path loggingFile() {
        return conf().resolve("log4j2.properties");
    }

    Path log(ClusterRole role) {
        return path.resolve("logs").resolve(role.label() + ".log");
    }

    Path clientLog() {
        return path.resolve("logs/client.log");
    }

    Path kafka() {
        return path.resolve("kafka");
    }

    Path zookeeper() {
        return path.resolve("zookeeper");
    }

    Path checkpoints() {
        return path.resolve("checkpoints");
    }

    Path savepoints() {
        return path.resolve("savepoints");
    }

    /** The folder that a role's process works in. */
    Path work(ClusterRole role) {
        return path.resolve("work").resolve(role.label());
    }

    /** What a role's process needs only while it runs. */
    Path temporary(ClusterRole role) {
        return path.resolve("tmp").resolve(role.label());
    }

    /** Empties it. */
    void clearTemporary(ClusterRole role) throws IOException {
        Path temporary = temporary(role);
        if (Files.isDirectory(temporary)) {
            try (Stream<Path> files = Files.walk(temporary)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
        Files.createDirectories(temporary);
    }

    /** Flink's settings that say where things are. */
    Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>();
        settings.put("execution.checkpointing.dir", checkpoints().toUri().toString());
        settings.put(
                "execution.checkpointing.savepoint-dir", savepoints().toUri().toString());
        settings.put("high-availability.storageDir", path.resolve("ha").toUri().toString());
        // What a TaskManager keeps of its state here is found by the one that takes its place.
        settings.put("process.working-dir", path.resolve("work").toString());
        return settings;
    }

    /** Writes the files that processes read when they start. */
    void write(Map<String, String> settings, Path logging) throws IOException {
        for (Path folder : List.of(conf(), savepoints())) {
            Files.createDirectories(folder);
        }
        List<String> lines = new ArrayList<>();
        new TreeMap<>(settings).forEach((key, value) -> lines.add(key + ": " + quoted(value)));
        Files.write(configFile(), lines);
        Files.copy(logging, loggingFile(), StandardCopyOption.REPLACE_EXISTING);
    }

    private static String quoted(String value) {
        return "'" + value.replace("'", "''").replace('\n', ' ') + "'";
    }
}
