package io.millrace.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.durability.TurnBook;
import io.millrace.durability.TurnBook.TurnName;
import io.millrace.job.cluster.ClusterPlan;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.proto.AgentRequest;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Far more requests at once than a cluster can take: what is accepted is answered, the rest is told to come again, and
 * what waits does so before the job, because its queues are short and full.
 */
@Tag("cluster")
@EnabledIfSystemProperty(
        named = "millrace.cluster.overload",
        matches = "true",
        disabledReason = "takes minutes: -Dmillrace.cluster.overload=true runs it")
class OverloadIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int BURST = 5_000;
    private static final int TOKENS = 8;
    private static final int QUEUE = 16;
    private static final int OPEN_REQUESTS = 800;
    private static final Duration LIMIT = Duration.ofSeconds(150);
    private static final String PREFIX = "burst-";

    @TempDir
    private Path folder;

    @Test
    void acceptedRequestsAreAnsweredAndOthersToldToComeAgain() throws Exception {
        Map<String, String> settings = Map.of(
                MillraceOptions.QUEUE_CAPACITY.key(),
                Integer.toString(QUEUE),
                MillraceOptions.DECODE_PENDING_TURNS.key(),
                Integer.toString(QUEUE),
                MillraceOptions.PREFILL_PENDING_TURNS.key(),
                Integer.toString(QUEUE),
                "metrics.fetcher.update-interval",
                "500 ms");
        ClusterPlan plan = ClusterPlan.standard().withProcesses(2, 0);
        try (SmallCluster cluster = SmallCluster.up(folder, plan, settings);
                SmallGateway first = SmallGateway.start(cluster.processes(), "first", OPEN_REQUESTS);
                SmallGateway second = SmallGateway.start(cluster.processes(), "second", OPEN_REQUESTS)) {
            long startNanos = System.nanoTime();
            List<CompletableFuture<HttpResponse<String>>> answers = burst(List.of(first.uri(), second.uri()));
            Seen seen = watch(cluster, CompletableFuture.allOf(answers.toArray(new CompletableFuture<?>[0])));
            Map<Integer, Integer> statuses = new TreeMap<>();
            Map<TurnName, JsonNode> accepted = new HashMap<>();
            for (int i = 0; i < answers.size(); i++) {
                HttpResponse<String> answer = answers.get(i).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
                statuses.merge(answer.statusCode(), 1, Integer::sum);
                if (answer.statusCode() == 200) {
                    String turn = answer.headers().firstValue("x-request-id").orElseThrow();
                    accepted.put(new TurnName(PREFIX + i, turn), JSON.readTree(answer.body()));
                } else {
                    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(429);
                    assertThat(answer.headers().firstValue("retry-after")).isPresent();
                }
            }
            System.out.printf(
                    "burst of %d: %s in %.1f s, %s%n", BURST, statuses, (System.nanoTime() - startNanos) / 1e9, seen);
            check(accepted, cluster.topics(PREFIX));
            assertThat(accepted.size()).isBetween(2 * OPEN_REQUESTS, BURST - 1);
            assertThat(seen.waiting).isLessThanOrEqualTo(QUEUE);
            assertThat(seen.backPressuredMs).isPositive();
        }
    }

    private static List<CompletableFuture<HttpResponse<String>>> burst(List<URI> gateways) {
        HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        String shared = "the water runs down the mill race and turns the wheel. ".repeat(60);
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < BURST; i++) {
            ObjectNode body = JSON.createObjectNode()
                    .put("max_tokens", TOKENS)
                    .put("temperature", 0)
                    .put("ignore_eos", true);
            body.putArray("messages").addObject().put("role", "user").put("content", shared + i);
            HttpRequest request = HttpRequest.newBuilder(
                            gateways.get(i % gateways.size()).resolve("/v1/chat/completions"))
                    .header("Content-Type", "application/json")
                    .header("X-Millrace-Session-ID", PREFIX + i)
                    .timeout(LIMIT)
                    .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                    .build();
            answers.add(http.sendAsync(request, HttpResponse.BodyHandlers.ofString()));
        }
        return answers;
    }

    /** The most that was seen of each. */
    private static final class Seen {
        private double waiting = Double.NaN;
        private double backPressuredMs = Double.NaN;

        void look(FlinkMetrics metrics) throws Exception {
            waiting = larger(waiting, metrics.max("Decode", "num_requests_waiting"));
            backPressuredMs = larger(backPressuredMs, metrics.max("Source:", "backPressuredTimeMsPerSecond"));
        }

        private static double larger(double before, double now) {
            return Double.isNaN(before) ? now : Double.isNaN(now) ? before : Math.max(before, now);
        }

        @Override
        public String toString() {
            return "at most %.0f turns waited in a Decode subtask, and the source stood for %.0f ms a second"
                    .formatted(waiting, backPressuredMs);
        }
    }

    private static Seen watch(SmallCluster cluster, CompletableFuture<Void> all) throws Exception {
        FlinkMetrics metrics = new FlinkMetrics(
                cluster.processes().restUri(), cluster.processes().job().jobId().toHexString());
        Seen seen = new Seen();
        while (!all.isDone()) {
            seen.look(metrics);
            Thread.sleep(200);
        }
        return seen;
    }

    private static void check(Map<TurnName, JsonNode> accepted, TopicRecords topics) {
        // Gateways ask again for turns that are silent for long.
        Set<TurnName> requested = topics.requests().stream()
                .filter(AgentRequest::hasChat)
                .map(request -> new TurnName(request.getSessionId(), request.getRequestId()))
                .collect(Collectors.toSet());
        assertThat(requested.equals(accepted.keySet()))
                .as("%d were accepted, %d requests are in the topic", accepted.size(), requested.size())
                .isTrue();
        try (TurnBook book = TurnBook.open(PREFIX)) {
            topics.chunks().forEach(book::add);
            assertThat(book.problems()).isEmpty();
            assertThat(book.endings()).isEqualTo(Map.of("LENGTH", (long) accepted.size()));
            accepted.forEach((turn, answer) -> {
                assertThat(book.tokens().get(turn)).as(turn.toString()).hasSize(TOKENS);
                assertThat(answer.at("/choices/0/finish_reason").asText()).isEqualTo("length");
            });
        }
    }
}
