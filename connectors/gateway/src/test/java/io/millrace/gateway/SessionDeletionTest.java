package io.millrace.gateway;

import static io.millrace.gateway.TestingGateway.assertError;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.proto.AgentRequest;
import io.millrace.proto.TurnFinished;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Ends sessions. */
final class SessionDeletionTest {
    private TestingGateway gateway = new TestingGateway();

    @AfterEach
    void stop() throws Exception {
        gateway.close();
    }

    @Test
    void testAnswerComesWhenTheSessionHasEnded() throws Exception {
        CompletableFuture<HttpResponse<String>> answer = CompletableFuture.supplyAsync(() -> delete("agent-7"));
        TestingTurnStream turn = gateway.port.nextTurn();
        AgentRequest request = turn.request();
        assertThat(request.getSessionId()).isEqualTo("agent-7");
        assertThat(request.getRequestId()).isEqualTo("close_id1");
        assertThat(request.hasClose()).isTrue();
        assertThat(request.getArrivalMs()).isEqualTo(TestingGateway.NOW_SECONDS * 1000);
        assertThat(answer).isNotDone();
        turn.finish(TurnFinished.Reason.CLOSED);
        assertThat(answer.join().statusCode()).isEqualTo(200);
        assertThat(answer.join().headers().firstValue("content-type")).hasValue("application/json; charset=utf-8");
        assertThat(answer.join().body())
                .isEqualTo("{\"id\":\"agent-7\",\"object\":\"session.deleted\",\"deleted\":true}");
    }

    @Test
    void testNamesAreThoseOfRequests() throws Exception {
        gateway.port.onTurn(turn -> turn.finish(TurnFinished.Reason.CLOSED));
        assertThat(delete("claude/agent").body()).contains("\"id\":\"claude/agent\"");
        assertThat(gateway.port.nextTurn().sessionId()).isEqualTo("claude/agent");
        assertThat(delete("claude%2Fagent").statusCode()).isEqualTo(200);
        assertThat(gateway.port.nextTurn().sessionId()).isEqualTo("claude/agent");
        assertThat(delete("a%22b%5C").body()).contains("\"id\":\"a\\\"b\\\\\"");
        assertThat(gateway.port.nextTurn().sessionId()).isEqualTo("a\"b\\");
        assertThat(delete("s", "x-tenant-id", "t").body()).contains("\"id\":\"s\"");
        assertThat(gateway.port.nextTurn().sessionId()).isEqualTo("t s");
        for (String bad : new String[] {"", "a%20b", "x".repeat(257), "%C3%A4", "x/" + "y".repeat(257)}) {
            assertError(delete(bad), 400, "invalid_request");
        }
        assertError(delete("s", "x-tenant-id", "x".repeat(257)), 400, "invalid_request");
        assertError(gateway.send("GET", "/v1/sessions/s"), 405, "method_not_allowed");
    }

    @Test
    void testKeyNamesTheRequestInItsSession() throws Exception {
        gateway.port.onTurn(turn -> turn.finish(TurnFinished.Reason.CLOSED));
        delete("s", "idempotency-key", "k");
        String requestId = gateway.port.nextTurn().requestId();
        assertThat(delete("s", "idempotency-key", "k").statusCode()).isEqualTo(200);
        assertThat(gateway.port.turnCount()).isEqualTo(1);
        delete("s", "idempotency-key", "k2");
        assertThat(gateway.port.nextTurn().requestId()).isNotEqualTo(requestId);
        delete("s2", "idempotency-key", "k");
        assertThat(gateway.port.nextTurn().requestId()).isNotEqualTo(requestId);
        delete("s");
        delete("s");
        assertThat(gateway.port.turnCount()).isEqualTo(5);
    }

    @Test
    void testErrorsAreTheUsualOnes() throws Exception {
        gateway.port.onTurn(turn -> turn.fail("UNAVAILABLE", "EXTERNAL", "the job was shut down", ""));
        assertError(delete("s"), 503, "unavailable");
        gateway.port.onTurn(turn -> turn.finish(TurnFinished.Reason.STOP));
        assertError(delete("s"), 500, "internal");
        gateway.port.capacity(0);
        HttpResponse<String> full = delete("s");
        assertError(full, 429, "queue_full");
        assertThat(full.headers().firstValue("retry-after")).isPresent();
        gateway.port.ready(false);
        assertError(delete("s"), 503, "unavailable");
    }

    @Test
    void testWaitIsBounded() throws Exception {
        gateway.close();
        GatewayOptions.Timeouts timeouts = TestingGateway.timeouts(
                Duration.ofMillis(300), Duration.ofMinutes(1), Duration.ofMinutes(1), Duration.ofMinutes(1));
        gateway = new TestingGateway(GatewayOptions.of(TestingGateway.MODEL).withTimeouts(timeouts));
        assertError(delete("s"), 504, "timeout");
        assertThat(gateway.port.cancelledCount()).isZero();
        assertThat(gateway.port.openTurns()).isEqualTo(1);
    }

    private HttpResponse<String> delete(String session, String... headers) {
        try {
            return gateway.send("DELETE", "/v1/sessions/" + session, headers);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
