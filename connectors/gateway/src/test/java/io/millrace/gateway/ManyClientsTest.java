package io.millrace.gateway;

import static io.millrace.gateway.TestingGateway.HELLO;
import static io.millrace.gateway.TestingGateway.HELLO_STREAM;
import static io.millrace.gateway.TestingGateway.assertError;
import static io.millrace.gateway.TestingGateway.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.millrace.proto.TurnFinished;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Many requests at once, more than are allowed, and a gateway that stops under them. */
final class ManyClientsTest {
    private static final int CLIENTS = 200;
    private static final int TOKENS = 20;

    private TestingGateway gateway;

    @BeforeEach
    void start() {
        gateway = new TestingGateway();
    }

    @AfterEach
    void stop() throws Exception {
        gateway.close();
    }

    @Test
    void testTwoHundredStreamsAtOnce() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        List<TestingTurnStream> turns = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            answers.add(gateway.postAsync(HELLO_STREAM, "session-id", "s" + i));
        }
        for (int i = 0; i < CLIENTS; i++) {
            turns.add(gateway.port.nextTurn());
        }
        for (int token = 0; token < TOKENS; token++) {
            for (TestingTurnStream turn : turns) {
                turn.text(turn.sessionId() + "." + token + " ");
            }
        }
        turns.forEach(turn -> turn.finish(TurnFinished.Reason.STOP));
        for (int i = 0; i < CLIENTS; i++) {
            List<SseEvent> events =
                    SseEvent.parse(answers.get(i).get(60, TimeUnit.SECONDS).body());
            assertThat(events).hasSize(TOKENS + 2);
            for (int token = 0; token < TOKENS; token++) {
                assertThat(json(events.get(token).data())
                                .at("/choices/0/delta/content")
                                .asText())
                        .isEqualTo("s" + i + "." + token + " ");
            }
        }
    }

    @Test
    void testManyStreamsOfOneConnection() throws Exception {
        gateway.port.onTurn(turn -> turn.text("a").text("b").finish(TurnFinished.Reason.STOP));
        HttpClient multiplexing =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        // The first request upgrades the connection, the others share it.
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < (round == 0 ? 1 : 30); i++) {
                answers.add(
                        multiplexing.sendAsync(gateway.request(HELLO_STREAM), HttpResponse.BodyHandlers.ofString()));
            }
            for (CompletableFuture<HttpResponse<String>> answer : answers) {
                HttpResponse<String> response = answer.get(60, TimeUnit.SECONDS);
                assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
                assertThat(SseEvent.parse(response.body())).hasSize(4);
            }
        }
    }

    @Test
    void testMoreThanAllowed() throws Exception {
        gateway.close();
        gateway = new TestingGateway(GatewayOptions.of(TestingGateway.MODEL)
                .withLimits(new GatewayOptions.Limits(1_000, 2_000, 100, 100, 2, 100, 100)));
        CompletableFuture<HttpResponse<String>> first = gateway.postAsync(HELLO);
        CompletableFuture<HttpResponse<String>> second = gateway.postAsync(HELLO_STREAM);
        List<TestingTurnStream> turns = List.of(gateway.port.nextTurn(), gateway.port.nextTurn());
        HttpResponse<String> third = gateway.post(HELLO);
        assertError(third, 429, "queue_full");
        assertThat(third.headers().firstValue("retry-after")).isPresent();
        turns.forEach(turn -> turn.text("a").finish(TurnFinished.Reason.STOP));
        assertThat(first.get().statusCode()).isEqualTo(200);
        assertThat(second.get().statusCode()).isEqualTo(200);
        gateway.assertNothingLeft();
        gateway.port.onTurn(turn -> turn.finish(TurnFinished.Reason.STOP));
        assertThat(gateway.post(HELLO).statusCode()).isEqualTo(200);
    }

    @Test
    void testStopWaitsForOpenRequests() throws Exception {
        CompletableFuture<HttpResponse<String>> stream = gateway.postAsync(HELLO_STREAM, "session-id", "s");
        CompletableFuture<HttpResponse<String>> whole = gateway.postAsync(HELLO, "session-id", "s");
        List<TestingTurnStream> turns = List.of(gateway.port.nextTurn(), gateway.port.nextTurn());
        turns.forEach(turn -> turn.text("a"));
        CompletableFuture<Void> stopped = gateway.gateway.stopAsync();
        assertError(gateway.post(HELLO), 503, "unavailable");
        assertThat(gateway.send("GET", "/health").statusCode()).isEqualTo(503);
        turns.forEach(turn -> turn.text("b").finish(TurnFinished.Reason.STOP));
        assertThat(SseEvent.parse(stream.get().body())).hasSize(4);
        assertThat(json(whole.get().body()).at("/choices/0/message/content").asText())
                .isEqualTo("ab");
        stopped.get(20, TimeUnit.SECONDS);
        assertThat(catchThrowable(() -> gateway.post(HELLO))).isInstanceOf(ConnectException.class);
        assertNoThreadLeft();
    }

    @Test
    void testStopTellsThoseItCutsOff() throws Exception {
        gateway.close();
        GatewayOptions.Timeouts usual = GatewayOptions.Timeouts.DEFAULT;
        gateway = new TestingGateway(GatewayOptions.of(TestingGateway.MODEL)
                .withTimeouts(new GatewayOptions.Timeouts(
                        usual.request(),
                        usual.turn(),
                        usual.write(),
                        usual.idle(),
                        usual.keepAlive(),
                        Duration.ofMillis(200))));
        CompletableFuture<HttpResponse<String>> stream = gateway.postAsync(HELLO_STREAM, "session-id", "s");
        CompletableFuture<HttpResponse<String>> whole = gateway.postAsync(HELLO);
        List<TestingTurnStream> turns = List.of(gateway.port.nextTurn(), gateway.port.nextTurn());
        turns.forEach(turn -> turn.text("a"));
        gateway.gateway.stop();
        List<SseEvent> events = SseEvent.parse(stream.get().body());
        assertThat(events.get(1).event()).isEqualTo("error");
        assertThat(events.get(1).data()).contains("the gateway is stopping");
        assertError(whole.get(), 503, "unavailable");
        gateway.assertNothingLeft();
        // The one that its client cannot come back for is over, the other goes on.
        assertThat(gateway.port.openTurns()).isEqualTo(1);
        assertNoThreadLeft();
    }

    private void assertNoThreadLeft() throws InterruptedException {
        TestingGateway.await(
                "no thread of the gateway",
                () -> Thread.getAllStackTraces().keySet().stream()
                        .map(Thread::getName)
                        .noneMatch(name -> name.startsWith("millrace-gateway") || name.startsWith("armeria-")));
    }

    @Test
    void testEachTokenIsSentBeforeTheNextIsMade() throws ExecutionException, InterruptedException {
        CompletableFuture<HttpResponse<Stream<String>>> response =
                gateway.client().sendAsync(gateway.request(HELLO_STREAM), HttpResponse.BodyHandlers.ofLines());
        TestingTurnStream turn = gateway.port.nextTurn();
        turn.text("t0");
        Iterator<String> lines = response.get().body().iterator();
        for (int i = 1; i < 500; i++) {
            assertThat(lines.next()).isEqualTo("id: " + turn.requestId() + ":" + i);
            assertThat(lines.next()).startsWith("data: ");
            assertThat(lines.next()).isEmpty();
            turn.text("t" + i);
        }
        turn.finish(TurnFinished.Reason.STOP);
        lines.forEachRemaining(line -> {});
    }
}
