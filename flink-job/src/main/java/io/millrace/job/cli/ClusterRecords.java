package io.millrace.job.cli;

import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.ClusterRole;
import io.millrace.job.cluster.Distribution;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** Which folders of this machine have a cluster: a file for each in {@link MillraceHome#run}. */
final class ClusterRecords {
    private static final String PREFIX = "cluster-";
    private static final int RECORDS_MAX = 1000;

    private ClusterRecords() {}

    static void write(ClusterProcesses cluster, MillraceHome home) throws IOException {
        Files.createDirectories(home.run());
        Files.writeString(file(cluster.folder(), home), cluster.folder() + "\n");
    }

    static void delete(ClusterProcesses cluster, MillraceHome home) throws IOException {
        Files.deleteIfExists(file(cluster.folder(), home));
    }

    /** Where Flink answers, of each cluster with a JobManager that runs. */
    static List<URI> restUris(MillraceHome home) throws IOException {
        List<URI> uris = new ArrayList<>();
        if (Files.isDirectory(home.run())) {
            try (Stream<Path> files = Files.list(home.run())) {
                for (Path file : files.limit(RECORDS_MAX).sorted().toList()) {
                    if (file.getFileName().toString().startsWith(PREFIX)) {
                        addRestUri(Path.of(Files.readString(file).strip()), uris);
                    }
                }
            }
        }
        return uris;
    }

    private static void addRestUri(Path folder, List<URI> uris) {
        try {
            ClusterProcesses cluster = ClusterProcesses.find(folder, Distribution.ofLauncher());
            if (cluster != null
                    && cluster.roles().stream()
                            .filter(role -> role.kind() == ClusterRole.Kind.JOBMANAGER)
                            .anyMatch(role -> cluster.process(role).isPresent())) {
                uris.add(cluster.restUri());
            }
        } catch (ServingException e) {
            // Damaged: not found by it.
        }
    }

    private static Path file(Path folder, MillraceHome home) {
        UUID name = UUID.nameUUIDFromBytes(folder.toString().getBytes(StandardCharsets.UTF_8));
        return home.run().resolve(PREFIX + name);
    }
}
