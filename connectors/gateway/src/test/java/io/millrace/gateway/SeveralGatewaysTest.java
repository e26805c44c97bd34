package io.millrace.gateway;

import static io.millrace.gateway.TestingGateway.HELLO;
import static io.millrace.gateway.TestingGateway.HELLO_STREAM;
import static io.millrace.gateway.TestingGateway.assertError;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.proto.TurnFinished;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a gateway does for turns that another one began. */
class SeveralGatewaysTest {
    private static final GatewayOptions OPTIONS = GatewayOptions.of(TestingGateway.MODEL)
            .withTimeouts(GatewayOptions.Timeouts.DEFAULT.withDrain(Duration.ofMillis(200)))
            .asOneOfSeveral();

    private TestingGateway gateway = new TestingGateway(OPTIONS);

    @AfterEach
    void stop() throws Exception {
        gateway.close();
    }

    @Test
    void testATurnThatOnlyTheJobKnowsIsReadByItsName() throws Exception {
        gateway.port.onTurn(turn -> turn.text("a").text("b").finish(TurnFinished.Reason.STOP));
        String whole = gateway.post(HELLO_STREAM, "session-id", "s").body();
        String turn = gateway.port.nextTurn().requestId();
        try (TestingGateway other = new TestingGateway(OPTIONS)) {
            other.port.onTurn(again -> {
                assertThat(again.request().hasResend()).isTrue();
                assertThat(again.sessionId()).isEqualTo("s");
                again.text("a").text("b").finish(TurnFinished.Reason.STOP);
            });
            other.port.know("s", turn);
            String path = "/v1/turns/" + turn + "/events";
            HttpResponse<String> rest = other.send("GET", path, "session-id", "s", "last-event-id", turn + ":1");
            assertThat(rest.statusCode()).isEqualTo(200);
            assertThat(rest.body()).isEqualTo(whole.substring(whole.indexOf("id: " + turn + ":2\n")));
            assertThat(other.send("GET", path + "?include_usage=true", "session-id", "s")
                            .body())
                    .contains("\"completion_tokens\":2")
                    .endsWith("data: [DONE]\n\n");
            assertError(other.send("GET", path), 404, "turn_not_found");
            assertError(other.send("GET", path, "session-id", "another"), 404, "turn_not_found");
            // The request itself may come later, whatever it says of the answer's shape.
            assertThat(other.post(HELLO_STREAM, "session-id", "s", "last-event-id", turn + ":1")
                            .body())
                    .isEqualTo(rest.body());
        }
    }

    @Test
    void testOutputThatIsNowhereIsGone() throws Exception {
        gateway.port.know("s", "turn_1");
        gateway.port.onTurn(turn -> turn.fail("OUTPUT_NOT_HELD", "USER", "not held", ""));
        assertError(gateway.send("GET", "/v1/turns/turn_1/events", "session-id", "s"), 410, "output_not_held");
    }

    @Test
    void testStreamsThatAreCutOffJustEnd() throws Exception {
        CompletableFuture<HttpResponse<String>> stream = gateway.postAsync(HELLO_STREAM, "session-id", "s");
        TestingTurnStream begun = gateway.port.nextTurn().text("a");
        CompletableFuture<HttpResponse<String>> waiting = gateway.postAsync(HELLO_STREAM, "session-id", "s2");
        gateway.port.nextTurn();
        CompletableFuture<HttpResponse<String>> whole = gateway.postAsync(HELLO, "session-id", "s3");
        gateway.port.nextTurn().text("a");
        gateway.gateway.stop();
        List<SseEvent> events = SseEvent.parse(stream.get().body());
        assertThat(events).hasSize(1);
        assertThat(events.get(0).id()).isEqualTo(begun.requestId() + ":1");
        for (CompletableFuture<HttpResponse<String>> answer : List.of(waiting, whole)) {
            assertError(answer.get(), 503, "unavailable");
            assertThat(answer.get().headers().firstValue("retry-after")).isPresent();
        }
        assertThat(gateway.port.cancelledCount()).isZero();
    }

    @Test
    void testAKeyNamesTheSameTurnWhereverItComes() throws Exception {
        gateway.port.onTurn(turn -> turn.text("x").finish(TurnFinished.Reason.STOP));
        // This gateway has seen the beginning of the conversation, the other one has not.
        String conversation = "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"},{\"role\":\"assistant\","
                + "\"content\":\"x\"},{\"role\":\"user\",\"content\":\"more\"}]}";
        gateway.post(HELLO);
        gateway.port.nextTurn();
        gateway.post(conversation, "idempotency-key", "k");
        TestingTurnStream here = gateway.port.nextTurn();
        try (TestingGateway other = new TestingGateway(OPTIONS)) {
            other.port.onTurn(turn -> turn.text("x").finish(TurnFinished.Reason.STOP));
            other.post(conversation, "idempotency-key", "k");
            TestingTurnStream there = other.port.nextTurn();
            assertThat(there.requestId()).isEqualTo(here.requestId());
            assertThat(there.sessionId()).isEqualTo(here.sessionId());
        }
    }

    @Test
    void testAKeyNamesTheSameTurnWhenItIsNotKnownWhetherTheJobHasIt() throws Exception {
        gateway.port.capacity(0);
        assertError(gateway.post(HELLO, "idempotency-key", "k", "session-id", "s"), 429, "queue_full");
        gateway.port.capacity(9);
        gateway.port.onTurn(turn -> {
            turn.fail("UNAVAILABLE", "EXTERNAL", "Kafka did not acknowledge it in time", "");
            gateway.port.forget(turn);
        });
        assertError(gateway.post(HELLO, "idempotency-key", "k", "session-id", "s"), 503, "unavailable");
        String first = gateway.port.nextTurn().requestId();
        gateway.port.onTurn(turn -> turn.fail("INTERNAL", "INTERNAL", "the turn failed", ""));
        assertError(gateway.post(HELLO, "idempotency-key", "k", "session-id", "s"), 500, "internal");
        assertThat(gateway.port.nextTurn().requestId()).isEqualTo(first);
        // This one the job has ended for good.
        gateway.port.onTurn(turn -> turn.text("x").finish(TurnFinished.Reason.STOP));
        assertThat(gateway.post(HELLO, "idempotency-key", "k", "session-id", "s")
                        .statusCode())
                .isEqualTo(200);
        assertThat(gateway.port.nextTurn().requestId()).isNotEqualTo(first);
    }
}
