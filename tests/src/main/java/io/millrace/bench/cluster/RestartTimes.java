package io.millrace.bench.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/**
 * When Flink did what after a failure, by its REST interface; milliseconds of wall time.
 *
 * @param noticedMs it knew of the failure
 * @param restoringMs the first task of Decode was on a TaskManager again
 * @param runningMs the last task of the job had its state and ran
 */
record RestartTimes(long noticedMs, long restoringMs, long runningMs) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final String DECODE = "Decode";

    /** Reads them of a job that runs again, after a failure at some time. */
    static RestartTimes read(URI rest, String job, long failedMs) throws IOException, InterruptedException {
        HttpClient client = HttpClient.newHttpClient();
        long noticed = Long.MAX_VALUE;
        for (JsonNode entry : get(client, rest, "/jobs/" + job + "/exceptions")
                .path("exceptionHistory")
                .path("entries")) {
            long timestamp = entry.path("timestamp").asLong();
            noticed = timestamp >= failedMs ? Math.min(noticed, timestamp) : noticed;
        }
        long restoring = Long.MAX_VALUE;
        long running = 0;
        for (JsonNode vertex : get(client, rest, "/jobs/" + job).path("vertices")) {
            String path = "/jobs/" + job + "/vertices/" + vertex.path("id").asText() + "/subtasktimes";
            for (JsonNode subtask : get(client, rest, path).path("subtasks")) {
                JsonNode times = subtask.path("timestamps");
                running = Math.max(running, times.path("RUNNING").asLong());
                if (vertex.path("name").asText().contains(DECODE)) {
                    restoring = Math.min(restoring, times.path("INITIALIZING").asLong());
                }
            }
        }
        if (noticed == Long.MAX_VALUE || restoring < failedMs || running < restoring) {
            throw new IllegalStateException("Flink does not say that the job was restarted after " + failedMs
                    + ": noticed " + noticed + ", restoring " + restoring + ", running " + running);
        }
        return new RestartTimes(noticed, restoring, running);
    }

    private static JsonNode get(HttpClient client, URI rest, String path) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(rest.resolve(path)).timeout(LIMIT).build();
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException(path + " answered " + response.statusCode() + ": " + response.body());
        }
        return JSON.readTree(response.body());
    }
}
