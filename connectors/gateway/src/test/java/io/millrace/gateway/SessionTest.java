package io.millrace.gateway;

import static io.millrace.gateway.TestingGateway.HELLO;
import static io.millrace.gateway.TestingGateway.HELLO_STREAM;
import static io.millrace.gateway.TestingGateway.assertError;
import static io.millrace.gateway.TestingGateway.json;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.proto.AgentRequest;
import io.millrace.proto.ToolCall;
import io.millrace.proto.TurnFinished;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How requests find their sessions, and repeated requests their turns. */
final class SessionTest {
    private static final String SYSTEM = "{\"role\":\"system\",\"content\":\"be brief\"}";
    private static final String USER = "{\"role\":\"user\",\"content\":\"hello\"}";
    private static final String ANSWER = "{\"role\":\"assistant\",\"content\":\"hi\"}";

    private TestingGateway gateway;

    @BeforeEach
    void start() {
        gateway = new TestingGateway();
        gateway.port.onTurn(turn -> turn.text("hi").finish(TurnFinished.Reason.STOP));
    }

    @AfterEach
    void stop() throws Exception {
        gateway.close();
    }

    private static String chat(String... messages) {
        return "{\"messages\":[" + String.join(",", messages) + "]}";
    }

    private AgentRequest submitted(String body, String... headers) throws Exception {
        HttpResponse<String> response = gateway.post(body, headers);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return gateway.port.nextTurn().request();
    }

    private String session(String body, String... headers) throws Exception {
        HttpResponse<String> response = gateway.post(body, headers);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        AgentRequest request = gateway.port.nextTurn().request();
        String session = response.headers().firstValue("x-millrace-session-id").orElseThrow();
        assertThat(request.getSessionId()).endsWith(session);
        return session;
    }

    @Test
    void testHeadersInTheirOrder() throws Exception {
        List<String> headers = new ArrayList<>();
        for (int i = SessionResolver.SESSION_HEADERS.size() - 1; i >= 0; i--) {
            String name = SessionResolver.SESSION_HEADERS.get(i);
            headers.add(name);
            headers.add("by-" + name);
            assertThat(session(HELLO, headers.toArray(String[]::new))).isEqualTo("by-" + name);
        }
        assertThat(session(HELLO, "x-claude-code-session-id", "c", "x-claude-code-agent-id", "a"))
                .isEqualTo("c/a");
        assertThat(session(HELLO, "X-Dynamo-Session-ID", "d", "X-Dynamo-Session-Final", "true"))
                .isEqualTo("d");
    }

    @Test
    void testBodyFieldsAfterHeaders() throws Exception {
        String fields = "{\"messages\":[" + USER + "],\"prompt_cache_key\":\"k\",\"user\":\"u\","
                + "\"metadata\":{\"user_id\":\"m\"}}";
        assertThat(session(fields, "session-id", "s")).isEqualTo("s");
        assertThat(session(fields)).isEqualTo("k");
        assertThat(session(fields.replace("\"prompt_cache_key\":\"k\",", ""))).isEqualTo("u");
        assertThat(session("{\"messages\":[" + USER + "],\"metadata\":{\"user_id\":\"m\"}}"))
                .isEqualTo("m");
    }

    @Test
    void testSessionIsFoundByMessages() throws Exception {
        String first = session(chat(SYSTEM, USER));
        assertThat(first).isEqualTo("session_id1");
        String next = chat(SYSTEM, USER, ANSWER, "{\"role\":\"user\",\"content\":\"and?\"}");
        assertThat(session(next)).isEqualTo(first);
        // A client that changes the answer is still the one that asked.
        String changed = chat(SYSTEM, USER, "{\"role\":\"assistant\",\"content\":\"hi!\"}", USER);
        assertThat(session(changed)).isEqualTo(first);
        // Two agents may well begin alike.
        String second = session(chat(SYSTEM, USER));
        assertThat(second).isNotEqualTo(first);
        assertThat(session(chat(SYSTEM, "{\"role\":\"user\",\"content\":\"other\"}", ANSWER, USER)))
                .isNotIn(first, second);
        assertThat(session(next, "x-tenant-id", "t")).isNotIn(first, second);
    }

    @Test
    void testSessionIsFoundByToolCalls() throws Exception {
        ToolCall call = ToolCall.newBuilder()
                .setId("c1")
                .setName("f")
                .setArgumentsJson("{\"a\": 1,  \"b\":[]}")
                .build();
        gateway.port.onTurn(turn -> turn.calls(call).finish(TurnFinished.Reason.TOOL_CALLS));
        String first = session("{\"stream\":true,\"messages\":[" + USER + "]}");
        // The same messages begin another session, so that the first's can only be found by its own answer.
        String other = session(chat(USER));
        assertThat(other).isNotEqualTo(first);
        String answer = "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\","
                + "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1,\\\"b\\\":[]}\"}}]}";
        String result = "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"42\"}";
        assertThat(session(chat(USER, answer, result))).isEqualTo(other);
        assertThat(session(chat(USER, answer, result, ANSWER, USER))).isEqualTo(other);
    }

    @Test
    void testKnownPrefixesAreBounded() throws Exception {
        gateway.close();
        gateway = new TestingGateway(GatewayOptions.of(TestingGateway.MODEL)
                .withLimits(new GatewayOptions.Limits(1 << 20, 1 << 20, 100, 100, 100, 2, 2)));
        gateway.port.onTurn(turn -> turn.text("hi").finish(TurnFinished.Reason.STOP));
        String first = session(chat(SYSTEM, USER));
        String second = session(chat(USER));
        assertThat(session(chat(USER, ANSWER, USER))).isEqualTo(second);
        assertThat(session(chat(SYSTEM, USER, ANSWER, USER))).isNotEqualTo(first);
    }

    @Test
    void testTenantsAreApart() throws Exception {
        AgentRequest none = submitted(HELLO, "session-id", "s");
        AgentRequest one = submitted(HELLO, "session-id", "s", "x-tenant-id", "t");
        AgentRequest salted = submitted(
                "{\"messages\":[" + USER + "],\"nvext\":{\"cache_salt\":\"t\"}}",
                "session-id",
                "s",
                "x-tenant-id",
                "t");
        AgentRequest saltOnly = submitted("{\"messages\":[" + USER + "],\"cache_salt\":\"t\"}", "session-id", "s");
        assertThat(List.of(none.getCacheSalt(), one.getCacheSalt(), salted.getCacheSalt(), saltOnly.getCacheSalt()))
                .containsExactly("", "t1:t", "t1:ts:t", "s:t");
        assertThat(none.getSessionId()).isEqualTo("s");
        assertThat(one.getSessionId()).isEqualTo("t s");
        assertThat(gateway.post(HELLO, "session-id", "s", "x-tenant-id", "t")
                        .headers()
                        .firstValue("x-millrace-session-id"))
                .hasValue("s");
    }

    @Test
    void testSeedIsOfTheTurn() throws Exception {
        String given = "{\"seed\":-7,\"messages\":[" + USER + "]}";
        assertThat(submitted(given).getChat().getSampling().getSeed()).isEqualTo(-7);
        long first = submitted(HELLO, "session-id", "s", "idempotency-key", "1")
                .getChat()
                .getSampling()
                .getSeed();
        long second = submitted(HELLO, "session-id", "s", "idempotency-key", "2")
                .getChat()
                .getSampling()
                .getSeed();
        assertThat(first).isNotEqualTo(second).isNotZero();
        try (TestingGateway younger = new TestingGateway()) {
            younger.port.onTurn(turn -> turn.finish(TurnFinished.Reason.STOP));
            younger.post(HELLO, "session-id", "s", "idempotency-key", "1");
            AgentRequest again = younger.port.nextTurn().request();
            assertThat(again.getChat().getSampling().getSeed()).isEqualTo(first);
        }
    }

    @Test
    void testSameKeyJoinsTheTurn() throws Exception {
        HttpResponse<String> first = gateway.post(HELLO, "idempotency-key", "k", "session-id", "s");
        HttpResponse<String> again = gateway.post(HELLO, "idempotency-key", "k", "session-id", "s");
        assertThat(again.body()).isEqualTo(first.body());
        assertThat(gateway.port.turnCount()).isEqualTo(1);
        assertError(gateway.post(HELLO_STREAM, "idempotency-key", "k", "session-id", "s"), 422, "idempotency_conflict");
        gateway.post(HELLO, "idempotency-key", "k", "session-id", "other");
        gateway.post(HELLO, "idempotency-key", "k", "session-id", "s", "x-tenant-id", "t");
        gateway.post(HELLO, "idempotency-key", "k");
        assertThat(gateway.post(HELLO, "idempotency-key", "k").statusCode()).isEqualTo(200);
        assertThat(gateway.port.turnCount()).isEqualTo(4);
    }

    @Test
    void testSameKeyJoinsTheTurnThatGoesOn() throws Exception {
        gateway.port.onTurn(turn -> {});
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            answers.add(gateway.postAsync(HELLO_STREAM, "idempotency-key", "k"));
        }
        TestingTurnStream turn = gateway.port.nextTurn();
        TestingGateway.await("all readers", () -> turn.subscriptionCount() == 20);
        turn.text("a").text("b").finish(TurnFinished.Reason.STOP);
        String body = answers.get(0).get().body();
        assertThat(SseEvent.parse(body)).hasSize(4);
        for (CompletableFuture<HttpResponse<String>> answer : answers) {
            assertThat(answer.get().body()).isEqualTo(body);
        }
        assertThat(gateway.port.turnCount()).isEqualTo(1);
    }

    @Test
    void testAFailureThatMayPassIsTriedAgainUnderTheSameKey() throws Exception {
        gateway.port.onTurn(turn -> turn.fail("UNAVAILABLE", "EXTERNAL", "the job restarts", ""));
        assertError(gateway.post(HELLO, "idempotency-key", "k"), 503, "unavailable");
        gateway.port.capacity(0);
        assertError(gateway.post(HELLO, "idempotency-key", "k"), 429, "queue_full");
        gateway.port.capacity(9);
        gateway.port.onTurn(turn -> turn.text("x").finish(TurnFinished.Reason.STOP));
        HttpResponse<String> third = gateway.post(HELLO, "idempotency-key", "k");
        assertThat(json(third.body()).at("/choices/0/message/content").asText()).isEqualTo("x");
        assertThat(gateway.post(HELLO, "idempotency-key", "k").body()).isEqualTo(third.body());

        gateway.port.onTurn(turn -> turn.fail("INVALID_REQUEST", "USER", "no", "messages"));
        assertError(gateway.post(HELLO, "idempotency-key", "k2"), 400, "invalid_request");
        int turns = gateway.port.turnCount();
        assertError(gateway.post(HELLO, "idempotency-key", "k2"), 400, "invalid_request");
        assertThat(gateway.port.turnCount()).isEqualTo(turns);
    }

    @Test
    void testCancel() throws Exception {
        gateway.port.onTurn(turn -> turn.text("a"));
        for (String method : List.of("DELETE", "POST")) {
            CompletableFuture<HttpResponse<String>> answer = gateway.postAsync(HELLO, "session-id", "s");
            String turn = gateway.port.nextTurn().requestId();
            String path = "/v1/turns/" + turn + (method.equals("POST") ? "/cancel" : "");
            assertError(gateway.send(method, path, "x-tenant-id", "t"), 404, "turn_not_found");
            HttpResponse<String> cancelled = gateway.send(method, path);
            assertThat(cancelled.statusCode()).isEqualTo(202);
            assertThat(json(cancelled.body()).get("id").asText()).isEqualTo(turn);
            assertThat(gateway.port.nextCancelled()).isEqualTo(turn);
            assertThat(json(answer.get().body()).at("/choices/0/stop_reason").asText())
                    .isEqualTo("cancelled");
            assertThat(gateway.send(method, path).statusCode()).isEqualTo(202);
        }
    }
}
