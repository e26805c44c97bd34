package io.millrace.job.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a {@code serve} writes of itself while it runs, so that other commands find it: a file of its own in
 * {@link MillraceHome#run}. One whose process is gone was left behind by a process that was killed.
 *
 * @param pid of the process
 * @param startedMs when the process started, since the epoch: process ids are used again
 * @param webUrl of Flink's web interface
 * @param gatewayUrl where clients connect
 * @param checkpoints the folder of the job's checkpoints; empty if it is not known
 */
record ServeRecord(long pid, long startedMs, URI webUrl, URI gatewayUrl, String checkpoints) {
    private static final String PREFIX = "serve-";
    private static final String SUFFIX = ".json";
    private static final int RECORDS_MAX = 1000;

    /** A process says when it started by the tick of a clock that is read in two ways. */
    private static final long START_TOLERANCE_MS = 2000;

    ServeRecord {
        requireNonNull(webUrl, "webUrl");
        requireNonNull(gatewayUrl, "gatewayUrl");
        requireNonNull(checkpoints, "checkpoints");
    }

    /** Of this process. */
    static ServeRecord ofThisProcess(URI webUrl, URI gatewayUrl, String checkpoints) {
        ProcessHandle self = ProcessHandle.current();
        return new ServeRecord(self.pid(), startMs(self), webUrl, gatewayUrl, checkpoints);
    }

    /** Every record of a home, the newest first. A file that cannot be read is none. */
    static List<ServeRecord> all(MillraceHome home) throws IOException {
        List<ServeRecord> records = new ArrayList<>();
        if (!Files.isDirectory(home.run())) {
            return records;
        }
        try (Stream<Path> files = Files.list(home.run())) {
            for (Path file : files.limit(RECORDS_MAX).toList()) {
                String name = file.getFileName().toString();
                if (name.startsWith(PREFIX) && name.endsWith(SUFFIX)) {
                    read(file, records);
                }
            }
        }
        records.sort(Comparator.comparingLong(ServeRecord::startedMs).reversed());
        return records;
    }

    /** Whether the process runs. */
    boolean isAlive() {
        return ProcessHandle.of(pid)
                .filter(ProcessHandle::isAlive)
                .map(process -> Math.abs(startMs(process) - startedMs) <= START_TOLERANCE_MS)
                .orElse(false);
    }

    /** Writes the record, whole or not at all. */
    void write(MillraceHome home) throws IOException {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("pid", pid)
                .put("started_ms", startedMs)
                .put("web_url", webUrl.toString())
                .put("gateway_url", gatewayUrl.toString())
                .put("checkpoints", checkpoints);
        Files.createDirectories(home.run());
        Path written = Files.createTempFile(home.run(), "writing-", ".tmp");
        Files.writeString(written, json.toPrettyString() + "\n");
        Files.move(written, file(home), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    /** Removes the record. */
    void delete(MillraceHome home) throws IOException {
        Files.deleteIfExists(file(home));
    }

    private Path file(MillraceHome home) {
        return home.run().resolve(PREFIX + pid + SUFFIX);
    }

    private static void read(Path file, List<ServeRecord> into) {
        try {
            JsonNode json = new ObjectMapper().readTree(file.toFile());
            into.add(new ServeRecord(
                    json.path("pid").longValue(),
                    json.path("started_ms").longValue(),
                    URI.create(json.path("web_url").asText()),
                    URI.create(json.path("gateway_url").asText()),
                    json.path("checkpoints").asText()));
        } catch (IOException | IllegalArgumentException e) {
            // Not one of ours, or damaged: the one who wrote it is not found by it.
        }
    }

    private static long startMs(ProcessHandle process) {
        return process.info().startInstant().map(start -> start.toEpochMilli()).orElse(0L);
    }
}
