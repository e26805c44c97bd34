package io.millrace.job.cluster;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a cluster's HTTP interfaces say of it. Every call looks once; {@link IOException} is "not yet". */
final class ClusterRest {
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final int OK = 200;

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(LIMIT).build();
    private final ObjectMapper json = new ObjectMapper();
    private final URI rest;

    /** Asks Flink at an address. */
    ClusterRest(URI rest) {
        this.rest = requireNonNull(rest, "rest");
    }

    /** TaskManagers that are registered. */
    int taskManagers() throws IOException {
        return get(rest.resolve("/overview")).path("taskmanagers").asInt();
    }

    /** Jobs that have not ended, with their states. */
    Map<String, String> jobs() throws IOException {
        Map<String, String> jobs = new LinkedHashMap<>();
        for (JsonNode job : get(rest.resolve("/jobs")).path("jobs")) {
            String state = job.path("status").asText();
            switch (state) {
                case "FINISHED", "CANCELED", "FAILED", "SUSPENDED" -> {}
                default -> jobs.put(job.path("id").asText(), state);
            }
        }
        return jobs;
    }

    /** Whether every task of a job runs. */
    boolean allTasksRun(String job) throws IOException {
        JsonNode vertices = get(rest.resolve("/jobs/" + job)).path("vertices");
        for (JsonNode vertex : vertices) {
            if (vertex.path("tasks").path("RUNNING").asInt()
                    != vertex.path("parallelism").asInt()) {
                return false;
            }
        }
        return !vertices.isEmpty();
    }

    /** The last failure of a job, as Flink tells it; empty if there was none. */
    String failure(String job) throws IOException {
        JsonNode entries = get(rest.resolve("/jobs/" + job + "/exceptions"))
                .path("exceptionHistory")
                .path("entries");
        return entries.isEmpty() ? "" : entries.get(0).path("stacktrace").asText();
    }

    /** Whether something answers with 200 there. */
    boolean isOk(URI uri) throws IOException {
        return send(uri).statusCode() == OK;
    }

    private JsonNode get(URI uri) throws IOException {
        HttpResponse<String> response = send(uri);
        if (response.statusCode() != OK) {
            throw new IOException(uri + " answered " + response.statusCode());
        }
        return json.readTree(response.body());
    }

    private HttpResponse<String> send(URI uri) throws IOException {
        try {
            return client.send(
                    HttpRequest.newBuilder(uri).timeout(LIMIT).build(), HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
