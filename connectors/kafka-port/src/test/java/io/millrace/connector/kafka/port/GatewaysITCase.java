package io.millrace.connector.kafka.port;

import static io.millrace.connector.kafka.port.TestingRequests.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.kafka.broker.JavaCommand;
import io.millrace.connector.kafka.broker.KafkaBroker;
import io.millrace.connector.kafka.broker.KafkaBrokerOptions;
import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.connector.kafka.records.KafkaTopics;
import io.millrace.gateway.Gateway;
import io.millrace.gateway.GatewayOptions;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/** Clients that move between gateways to one job behind Kafka. */
class GatewaysITCase {
    private static final int PARTITIONS = 3;

    @TempDir
    private static Path folder;

    private static KafkaBroker broker;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final List<RunningGateway> gateways = new ArrayList<>();
    private KafkaSettings settings;
    private TestingKafkaJob job;

    @BeforeAll
    static void startBroker() throws Exception {
        broker = KafkaBroker.start(KafkaBrokerOptions.of(folder.resolve("kafka"), JavaCommand.ownClassPath()));
    }

    @AfterAll
    static void stopBroker() {
        broker.close();
    }

    @BeforeEach
    void makeTopics(TestInfo test) throws Exception {
        String name = test.getTestMethod().orElseThrow().getName();
        settings = KafkaSettings.of(broker.bootstrapServers())
                .withTopics(name + "-requests", name + "-tokens", name + "-dead");
        KafkaTopics.ensure(settings, new KafkaTopics.Layout(PARTITIONS, 1, Duration.ofSeconds(30)));
        job = new TestingKafkaJob(settings);
    }

    @AfterEach
    void closeAll() throws Exception {
        for (RunningGateway gateway : gateways) {
            gateway.close();
        }
        job.close();
    }

    @Test
    void clientGoesOnAtAnotherGateway() throws Exception {
        RunningGateway first = gateway(KafkaPortOptions.DEFAULT);
        job.holdAt(10);
        List<String> ids = new ArrayList<>();
        HttpResponse<Stream<String>> stream = client.send(
                first.post("/v1/chat/completions", chat(20), "session-id", "s"), HttpResponse.BodyHandlers.ofLines());
        Iterator<String> lines = stream.body().iterator();
        while (ids.size() < 10) {
            addId(lines.next(), ids);
        }
        first.close();
        lines.forEachRemaining(line -> addId(line, ids));
        assertThat(ids).hasSize(10);

        // One comes again with the request, the other knows no more than the turn's name.
        RunningGateway second = gateway(KafkaPortOptions.DEFAULT);
        String turn = ids.get(9).substring(0, ids.get(9).lastIndexOf(':'));
        CompletableFuture<HttpResponse<String>> byRequest = client.sendAsync(
                second.post("/v1/chat/completions", chat(20), "session-id", "s", "last-event-id", ids.get(9)),
                HttpResponse.BodyHandlers.ofString());
        CompletableFuture<HttpResponse<String>> byName = client.sendAsync(
                gateway(KafkaPortOptions.DEFAULT)
                        .get("/v1/turns/" + turn + "/events", "session-id", "s", "last-event-id", ids.get(9)),
                HttpResponse.BodyHandlers.ofString());
        job.goOn();
        for (CompletableFuture<HttpResponse<String>> rest : List.of(byRequest, byName)) {
            List<String> all = new ArrayList<>(ids);
            String body = rest.get(60, TimeUnit.SECONDS).body();
            body.lines().forEach(line -> addId(line, all));
            assertThat(all).isEqualTo(wholeStream(turn, 20));
            assertThat(body).endsWith("data: [DONE]\n\n");
        }
        assertThat(job.turnCount()).isOne();
    }

    @Test
    void aKeyJoinsTheTurnAtAnyGateway() throws Exception {
        job.holdAt(5);
        String[] key = {"session-id", "s", "idempotency-key", "k"};
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            RunningGateway gateway = gateway(KafkaPortOptions.DEFAULT);
            answers.add(client.sendAsync(
                    gateway.post("/v1/chat/completions", chat(12), key), HttpResponse.BodyHandlers.ofString()));
            await("the turn is open", () -> gateway.port.openTurns() == 1);
        }
        // Of all that is known, this gateway's process has nothing.
        gateways.get(0).close();
        assertThat(answers.get(0).get(60, TimeUnit.SECONDS).body()).doesNotContain("[DONE]");
        answers.set(
                0,
                client.sendAsync(
                        gateway(KafkaPortOptions.DEFAULT).post("/v1/chat/completions", chat(12), key),
                        HttpResponse.BodyHandlers.ofString()));
        await("the request came four times", () -> job.requestCount("s", onlyTurn()) == 4);
        job.goOn();
        for (CompletableFuture<HttpResponse<String>> answer : answers) {
            List<String> ids = new ArrayList<>();
            answer.get(60, TimeUnit.SECONDS).body().lines().forEach(line -> addId(line, ids));
            assertThat(ids).isEqualTo(wholeStream(onlyTurn(), 12));
        }
        assertThat(job.turnCount()).isOne();
    }

    @Test
    void anyGatewayCancels() throws Exception {
        RunningGateway first = gateway(KafkaPortOptions.DEFAULT);
        job.holdAt(2);
        CompletableFuture<HttpResponse<String>> answer = client.sendAsync(
                first.post("/v1/chat/completions", chat(9), "session-id", "s"), HttpResponse.BodyHandlers.ofString());
        await("the turn runs", () -> job.turnCount() == 1);
        HttpResponse<String> cancelled = client.send(
                gateway(KafkaPortOptions.DEFAULT).post("/v1/turns/" + onlyTurn() + "/cancel", "", "session-id", "s"),
                HttpResponse.BodyHandlers.ofString());
        assertThat(cancelled.statusCode()).isEqualTo(202);
        assertThat(answer.get(60, TimeUnit.SECONDS).body())
                .contains("\"stop_reason\":\"cancelled\"")
                .endsWith("data: [DONE]\n\n");
    }

    @Test
    void whatTheJobHasDroppedTheTopicHasUntilItIsGone() throws Exception {
        RunningGateway first = gateway(KafkaPortOptions.DEFAULT);
        String whole = client.send(
                        first.post("/v1/chat/completions", chat(8), "session-id", "s"),
                        HttpResponse.BodyHandlers.ofString())
                .body();
        job.dropOutputs();
        String path = "/v1/turns/" + onlyTurn() + "/events";
        HttpResponse<String> rest = client.send(
                gateway(KafkaPortOptions.DEFAULT).get(path, "session-id", "s", "last-event-id", onlyTurn() + ":3"),
                HttpResponse.BodyHandlers.ofString());
        List<String> ids = new ArrayList<>();
        whole.lines()
                .takeWhile(line -> !line.startsWith("id: " + onlyTurn() + ":4"))
                .forEach(line -> addId(line, ids));
        rest.body().lines().forEach(line -> addId(line, ids));
        assertThat(ids).isEqualTo(wholeStream(onlyTurn(), 8));
        deleteRecords(settings.tokenTopic());
        HttpResponse<String> gone = client.send(
                gateway(KafkaPortOptions.DEFAULT).get(path, "session-id", "s"), HttpResponse.BodyHandlers.ofString());
        assertThat(gone.statusCode()).isEqualTo(410);
        assertThat(gone.body()).contains("output_not_held");
        HttpResponse<String> unknown = client.send(
                first.get("/v1/turns/turn_x/events", "session-id", "s"), HttpResponse.BodyHandlers.ofString());
        assertThat(unknown.statusCode()).isEqualTo(404);
    }

    @Test
    void aFullGatewayAnswers429AndLosesNothingThatItTook() throws Exception {
        RunningGateway gateway = gateway(KafkaPortOptions.DEFAULT.withOpenTurnsMax(16));
        job.holdAt(1);
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            answers.add(client.sendAsync(
                    gateway.post("/v1/chat/completions", chat(4), "session-id", "s" + i),
                    HttpResponse.BodyHandlers.ofString()));
        }
        await(
                "the rest was refused",
                () -> answers.stream().filter(CompletableFuture::isDone).count() == 48);
        job.goOn();
        int taken = 0;
        for (CompletableFuture<HttpResponse<String>> pending : answers) {
            HttpResponse<String> answer = pending.get(60, TimeUnit.SECONDS);
            if (answer.statusCode() == 429) {
                assertThat(answer.headers().firstValue("retry-after")).isPresent();
            } else {
                assertThat(answer.body()).endsWith("data: [DONE]\n\n");
                taken++;
            }
        }
        assertThat(taken).isEqualTo(16);
        assertThat(job.turnCount()).isEqualTo(16);
    }

    private String onlyTurn() {
        return job.onlyTurn().requestId();
    }

    private void deleteRecords(String topic) throws Exception {
        try (Admin admin = Admin.create(settings.adminProperties("test"))) {
            Map<TopicPartition, RecordsToDelete> all = new HashMap<>();
            for (int i = 0; i < PARTITIONS; i++) {
                all.put(new TopicPartition(topic, i), RecordsToDelete.beforeOffset(-1));
            }
            admin.deleteRecords(all).all().get(30, TimeUnit.SECONDS);
        }
    }

    private static void addId(String line, List<String> ids) {
        if (line.startsWith("id: ")) {
            ids.add(line.substring(4));
        }
    }

    /** The ids of a stream of so many tokens: one each, the finish reason's and that of its end. */
    private static List<String> wholeStream(String turn, int tokens) {
        List<String> ids = new ArrayList<>();
        for (int i = 1; i <= tokens; i++) {
            ids.add(turn + ":" + i);
        }
        ids.add(turn + ":" + (tokens + 2));
        ids.add(turn + ":" + (tokens + 4));
        return ids;
    }

    private static String chat(int tokens) {
        return "{\"stream\":true,\"max_tokens\":" + tokens
                + ",\"nvext\":{\"extra_fields\":[\"stop_reason\"]},\"messages\":[{\"role\":\"user\","
                + "\"content\":\"hello\"}]}";
    }

    private RunningGateway gateway(KafkaPortOptions options) throws Exception {
        RunningGateway gateway = new RunningGateway(KafkaPort.open(settings, options));
        gateways.add(gateway);
        assertThat(gateway.port.awaitReady(Duration.ofSeconds(30))).isTrue();
        return gateway;
    }

    /** A gateway with a port of its own, which stops without waiting for anybody. */
    private static final class RunningGateway {
        private final KafkaPort port;
        private final Gateway gateway;
        private boolean closed;

        RunningGateway(KafkaPort port) {
            this.port = port;
            this.gateway = new Gateway(
                    GatewayOptions.of("test-model")
                            .withTimeouts(GatewayOptions.Timeouts.DEFAULT.withDrain(Duration.ZERO))
                            .asOneOfSeveral(),
                    port);
            gateway.start();
        }

        HttpRequest post(String path, String body, String... headers) {
            return request(path, headers)
                    .header("content-type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(body))
                    .build();
        }

        HttpRequest get(String path, String... headers) {
            return request(path, headers).GET().build();
        }

        private HttpRequest.Builder request(String path, String... headers) {
            return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + gateway.port() + path))
                    .timeout(Duration.ofSeconds(60))
                    .headers(headers);
        }

        void close() throws InterruptedException {
            if (!closed) {
                closed = true;
                // The acceptor's thread takes two seconds to end, which no test needs to wait for.
                var unused = gateway.stopAsync();
                await("no open requests", () -> gateway.openRequestCount() == 0);
                port.close();
            }
        }
    }
}
