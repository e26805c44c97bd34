package io.millrace.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Metrics of a job's subtasks as Flink's REST interface has them. */
final class FlinkMetrics {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newHttpClient();
    private final URI rest;
    private final String job;

    FlinkMetrics(URI rest, String job) {
        this.rest = rest;
        this.job = job;
    }

    /**
     * The largest value of a metric among the subtasks of the operators whose names begin so.
     *
     * @param suffix how the metric's name ends
     * @return NaN if there is none yet
     */
    double max(String vertexName, String suffix) throws IOException, InterruptedException {
        double max = Double.NaN;
        for (JsonNode vertex : get("jobs/" + job).path("vertices")) {
            if (vertex.path("name").asText().startsWith(vertexName)) {
                String metrics =
                        "jobs/" + job + "/vertices/" + vertex.path("id").asText() + "/subtasks/metrics";
                List<String> names = new ArrayList<>();
                for (JsonNode each : get(metrics)) {
                    if (each.path("id").asText().endsWith(suffix)) {
                        names.add(each.path("id").asText());
                    }
                }
                for (JsonNode each : names.isEmpty() ? JSON.createArrayNode() : values(metrics, names)) {
                    double value = each.path("max").asDouble();
                    max = Double.isNaN(max) ? value : Math.max(max, value);
                }
            }
        }
        return max;
    }

    /** The parallelism of the operators whose names begin so. */
    int parallelism(String vertexName) throws IOException, InterruptedException {
        for (JsonNode vertex : get("jobs/" + job).path("vertices")) {
            if (vertex.path("name").asText().startsWith(vertexName)) {
                return vertex.path("parallelism").asInt();
            }
        }
        return 0;
    }

    /** The TaskManagers that have the subtasks of the operators whose names begin so. */
    Set<String> taskManagers(String vertexName) throws IOException, InterruptedException {
        Set<String> ids = new HashSet<>();
        for (JsonNode vertex : get("jobs/" + job).path("vertices")) {
            if (vertex.path("name").asText().startsWith(vertexName)) {
                String path = "jobs/" + job + "/vertices/" + vertex.path("id").asText();
                for (JsonNode subtask : get(path).path("subtasks")) {
                    ids.add(subtask.path("taskmanager-id").asText());
                }
            }
        }
        return ids;
    }

    private JsonNode values(String metrics, List<String> names) throws IOException, InterruptedException {
        return get(metrics + "?agg=max&get=" + String.join(",", names));
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(rest.resolve("/" + path))
                .timeout(Duration.ofSeconds(20))
                .build();
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException(path + ": " + response.statusCode() + " " + response.body());
        }
        return JSON.readTree(response.body());
    }
}
