package io.millrace.gateway;

import static io.millrace.gateway.TestingGateway.HELLO_STREAM;
import static io.millrace.gateway.TestingGateway.assertError;
import static io.millrace.gateway.TestingGateway.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.ToolCall;
import io.millrace.proto.ToolCallDelta;
import io.millrace.proto.TurnFinished;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Streams as clients see them. */
final class ChatStreamTest {
    private static final String USAGE_STREAM = "{\"stream\":true,\"stream_options\":{\"include_usage\":true},"
            + "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";
    private static final ToolCall CALL = ToolCall.newBuilder()
            .setId("call_1")
            .setName("weather")
            .setArgumentsJson("{\"city\": \"Ulm\"}")
            .build();

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
    void testEventsOfATurn() throws Exception {
        gateway.port.onTurn(turn ->
                turn.text("Hel").text("").text("lo \"w\"\n\u00e9\ud83d\ude00").finish(TurnFinished.Reason.STOP));
        HttpResponse<String> response = gateway.post(HELLO_STREAM, "x-millrace-session-id", "s1");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type")).hasValue("text/event-stream; charset=utf-8");
        assertThat(response.headers().firstValue("x-millrace-session-id")).hasValue("s1");
        assertThat(response.headers().firstValue("x-request-id")).hasValue("turn_id1");
        List<SseEvent> events = SseEvent.parse(response.body());
        assertThat(events)
                .extracting(SseEvent::id)
                .containsExactly("turn_id1:1", "turn_id1:3", "turn_id1:5", "turn_id1:7");
        JsonNode first = json(events.get(0).data());
        assertThat(first.get("id").asText()).isEqualTo("chatcmpl-turn_id1");
        assertThat(first.get("object").asText()).isEqualTo("chat.completion.chunk");
        assertThat(first.get("created").asLong()).isEqualTo(TestingGateway.NOW_SECONDS);
        assertThat(first.get("model").asText()).isEqualTo(TestingGateway.MODEL);
        assertThat(first.has("usage")).isFalse();
        assertThat(first.at("/choices/0/index").asInt(-1)).isZero();
        assertThat(first.at("/choices/0/delta").toString()).isEqualTo("{\"role\":\"assistant\",\"content\":\"Hel\"}");
        assertThat(first.at("/choices/0/finish_reason").isNull()).isTrue();
        assertThat(json(events.get(1).data()).at("/choices/0/delta/content").asText())
                .isEqualTo("lo \"w\"\n\u00e9\ud83d\ude00");
        assertThat(json(events.get(2).data()).at("/choices/0/finish_reason").asText())
                .isEqualTo("stop");
        assertThat(events.get(3).isDone()).isTrue();
    }

    @Test
    void testUsageComesLastWhereAskedFor() throws Exception {
        gateway.port.onTurn(turn -> turn.text("a").text("b").finish(TurnFinished.Reason.LENGTH));
        List<SseEvent> events = SseEvent.parse(gateway.post(USAGE_STREAM).body());
        assertThat(events).hasSize(5);
        for (SseEvent event : events.subList(0, 3)) {
            assertThat(json(event.data()).get("usage").isNull()).isTrue();
        }
        assertThat(json(events.get(2).data()).at("/choices/0/finish_reason").asText())
                .isEqualTo("length");
        JsonNode usage = json(events.get(3).data());
        assertThat(usage.get("choices").size()).isZero();
        assertThat(usage.get("usage").toString())
                .isEqualTo("{\"prompt_tokens\":100,\"completion_tokens\":2,\"total_tokens\":102,"
                        + "\"prompt_tokens_details\":{\"cached_tokens\":64}}");
    }

    @Test
    void testToolCalls() throws Exception {
        ToolCall second =
                CALL.toBuilder().setId("call_2").setArgumentsJson("{}").build();
        gateway.port.onTurn(turn -> turn.calls(CALL).calls(second).finish(TurnFinished.Reason.TOOL_CALLS));
        List<SseEvent> events = SseEvent.parse(gateway.post(HELLO_STREAM).body());
        assertThat(json(events.get(0).data()).at("/choices/0/delta").toString())
                .isEqualTo("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"index\":0,\"id\":\"call_1\","
                        + "\"type\":\"function\",\"function\":{\"name\":\"weather\","
                        + "\"arguments\":\"{\\\"city\\\": \\\"Ulm\\\"}\"}}]}");
        assertThat(json(events.get(1).data())
                        .at("/choices/0/delta/tool_calls/0/index")
                        .asInt())
                .isEqualTo(1);
        assertThat(json(events.get(2).data()).at("/choices/0/finish_reason").asText())
                .isEqualTo("tool_calls");

        List<SseEvent> single = SseEvent.parse(
                gateway.post(HELLO_STREAM.replace("{\"stream", "{\"parallel_tool_calls\":false,\"stream"))
                        .body());
        assertThat(single).hasSize(3);
        assertThat(json(single.get(0).data()).at("/choices/0/delta/tool_calls").size())
                .isEqualTo(1);
    }

    @Test
    void testToolCallsInPieces() throws Exception {
        gateway.port.onTurn(turn -> turn.emit(
                        piece("{\"city").setToolCallDeltas(0, head("{\"city")).addTokenIds(1), false)
                .emit(piece("\": \"Ulm\"}").addToolCalls(CALL).addTokenIds(2), false)
                .finish(TurnFinished.Reason.TOOL_CALLS));
        List<SseEvent> events = SseEvent.parse(gateway.post(HELLO_STREAM).body());
        assertThat(json(events.get(0).data()).at("/choices/0/delta").toString())
                .isEqualTo("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"index\":0,\"id\":\"call_1\","
                        + "\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":\"{\\\"city\"}}]}");
        // What came in pieces does not come whole too.
        assertThat(json(events.get(1).data()).at("/choices/0/delta").toString())
                .isEqualTo("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\\\": \\\"Ulm\\\"}\"}}]}");
        assertThat(json(events.get(2).data()).at("/choices/0/finish_reason").asText())
                .isEqualTo("tool_calls");
    }

    private static TokenChunk.Builder piece(String arguments) {
        return TokenChunk.newBuilder()
                .addToolCallDeltas(ToolCallDelta.newBuilder().setArguments(arguments));
    }

    private static ToolCallDelta head(String arguments) {
        return ToolCallDelta.newBuilder()
                .setId(CALL.getId())
                .setName(CALL.getName())
                .setArguments(arguments)
                .build();
    }

    @Test
    void testReasoningIsApart() throws Exception {
        gateway.port.onTurn(
                turn -> turn.emit(TokenChunk.newBuilder().addTokenIds(1).setReasoningContent("hm"), false)
                        .text("yes")
                        .finish(TurnFinished.Reason.STOP));
        List<SseEvent> events = SseEvent.parse(gateway.post(HELLO_STREAM).body());
        assertThat(json(events.get(0).data()).at("/choices/0/delta").toString())
                .isEqualTo("{\"role\":\"assistant\",\"reasoning_content\":\"hm\",\"content\":null}");
        assertThat(json(events.get(1).data()).at("/choices/0/delta").toString()).isEqualTo("{\"content\":\"yes\"}");
    }

    @Test
    void testExtraFields() throws Exception {
        gateway.port.onTurn(turn -> turn.text("a").finish(TurnFinished.Reason.STOP));
        List<SseEvent> events = SseEvent.parse(gateway.post("{\"stream\":true,\"nvext\":{\"extra_fields\":"
                        + "[\"timing\",\"stop_reason\",\"token_ids\",\"worker_id\"]},"
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}")
                .body());
        assertThat(json(events.get(0).data()).get("nvext").toString()).isEqualTo("{\"token_ids\":[0]}");
        assertThat(json(events.get(1).data()).get("nvext").toString())
                .isEqualTo("{\"timing\":{\"ttft_ms\":12.5,\"itl_ms\":2.25},\"stop_reason\":null}");
    }

    @Test
    void testCancelledTurnStopsAndSaysWhy() throws Exception {
        gateway.port.onTurn(turn -> turn.text("a").finish(TurnFinished.Reason.CANCELLED));
        List<SseEvent> events = SseEvent.parse(gateway.post(HELLO_STREAM).body());
        JsonNode choice = json(events.get(1).data()).at("/choices/0");
        assertThat(choice.get("finish_reason").asText()).isEqualTo("stop");
        assertThat(choice.get("stop_reason").asText()).isEqualTo("cancelled");
    }

    @Test
    void testReaderThatHadMoreOfACancelledTurnIsToldItsEnd() throws Exception {
        gateway.port.onTurn(turn -> turn.text("a").text("b").finish(TurnFinished.Reason.CANCELLED));
        String id = SseEvent.parse(gateway.post(HELLO_STREAM).body()).get(0).id();
        String turnId = id.substring(0, id.indexOf(':'));
        // After a failure the turn was cancelled earlier than before: the reader has nine tokens of two.
        List<SseEvent> rest = SseEvent.parse(
                gateway.post(HELLO_STREAM, "last-event-id", turnId + ":9").body());
        assertThat(rest).extracting(SseEvent::id).containsExactly(turnId + ":11", turnId + ":13");
        assertThat(json(rest.get(0).data()).at("/choices/0/stop_reason").asText())
                .isEqualTo("cancelled");
        assertThat(rest.get(1).data()).isEqualTo("[DONE]");
    }

    @Test
    void testRefusedTurnIsAnHttpError() throws Exception {
        gateway.port.onTurn(
                turn -> turn.fail("CONTEXT_LENGTH_EXCEEDED", "USER", "the prompt has 9000 tokens", "messages"));
        HttpResponse<String> response = gateway.post(HELLO_STREAM);
        assertError(response, 400, "context_length_exceeded");
        assertThat(json(response.body()).at("/error/param").asText()).isEqualTo("messages");
        assertThat(response.headers().firstValue("x-request-id")).isPresent();
    }

    @Test
    void testFailureInTheMiddleIsAnErrorEvent() throws Exception {
        gateway.port.onTurn(turn -> turn.text("a").fail("INTERNAL", "INTERNAL", "the engine broke", ""));
        HttpResponse<String> response = gateway.post(HELLO_STREAM);
        assertThat(response.statusCode()).isEqualTo(200);
        List<SseEvent> events = SseEvent.parse(response.body());
        assertThat(events).hasSize(2);
        assertThat(events.get(1).event()).isEqualTo("error");
        assertThat(events.get(1).id()).isEmpty();
        assertThat(json(events.get(1).data()).at("/error/message").asText()).isEqualTo("the engine broke");
    }

    @Test
    void testResumeFromEachEventGivesTheRestExactly() throws Exception {
        gateway.port.onTurn(turn -> turn.text("a")
                .text("")
                .emit(
                        TokenChunk.newBuilder()
                                .addTokenIds(7)
                                .addTokenIds(8)
                                .addTokenIds(9)
                                .setContent("bcd"),
                        false)
                .calls(CALL)
                .calls(CALL)
                .finish("tail", TurnFinished.Reason.TOOL_CALLS));
        HttpResponse<String> whole = gateway.post(USAGE_STREAM, "x-millrace-session-id", "s1");
        List<SseEvent> events = SseEvent.parse(whole.body());
        assertThat(events).extracting(SseEvent::position).containsExactly(1, 5, 6, 7, 8, 9, 10, 11);
        for (int i = 0; i < events.size() - 1; i++) {
            String id = events.get(i).id();
            String rest = whole.body()
                    .substring(whole.body().indexOf("id: " + events.get(i + 1).id() + "\n"));
            HttpResponse<String> posted =
                    gateway.post(USAGE_STREAM, "x-millrace-session-id", "s1", "last-event-id", id);
            assertThat(posted.body()).isEqualTo(rest);
            HttpResponse<String> got = gateway.send("GET", "/v1/turns/turn_id1/events", "last-event-id", id);
            assertThat(got.body()).isEqualTo(rest);
            assertThat(got.headers().firstValue("x-millrace-session-id")).hasValue("s1");
        }
        assertThat(gateway.send("GET", "/v1/turns/turn_id1/events").body()).isEqualTo(whole.body());
        assertThat(gateway.post(USAGE_STREAM, "last-event-id", events.get(7).id())
                        .statusCode())
                .isEqualTo(204);
        assertThat(gateway.port.turnCount()).isEqualTo(1);
    }

    @Test
    void testResumeWithinATurnThatGoesOn() throws Exception {
        var first = gateway.postAsync(HELLO_STREAM, "session-id", "s");
        TestingTurnStream turn = gateway.port.nextTurn().text("a").text("b");
        var second = gateway.postAsync(HELLO_STREAM, "session-id", "s", "last-event-id", turn.requestId() + ":2");
        TestingGateway.await("two readers", () -> turn.subscriptionCount() == 2);
        turn.text("c").finish(TurnFinished.Reason.STOP);
        String whole = first.get().body();
        assertThat(second.get().body()).isEqualTo(whole.substring(whole.indexOf("id: " + turn.requestId() + ":3\n")));
    }

    @Test
    void testResumeOfNothing() throws Exception {
        gateway.port.onTurn(turn -> turn.emit(
                        TokenChunk.newBuilder().addTokenIds(7).addTokenIds(8).setContent("ab"), false)
                .finish(TurnFinished.Reason.STOP));
        assertError(gateway.post(HELLO_STREAM, "last-event-id", "turn_x:3"), 404, "turn_not_found");
        assertError(gateway.send("GET", "/v1/turns/turn_x/events"), 404, "turn_not_found");
        for (String id : List.of("turn_x", "turn_x:", ":3", "turn_x:-1", "turn_x:9999999999")) {
            assertError(gateway.post(HELLO_STREAM, "last-event-id", id), 400, "invalid_request");
        }
        gateway.post(HELLO_STREAM, "session-id", "s");
        TestingTurnStream turn = gateway.port.nextTurn();
        String id = turn.requestId();
        assertError(gateway.post(HELLO_STREAM, "last-event-id", id + ":7"), 400, "invalid_request");
        assertError(gateway.post(HELLO_STREAM, "last-event-id", id + ":1"), 400, "invalid_request");
        assertError(gateway.post(USAGE_STREAM, "last-event-id", id + ":2"), 422, "idempotency_conflict");
        assertError(gateway.post(HELLO_STREAM, "x-tenant-id", "t", "last-event-id", id + ":2"), 404, "turn_not_found");
        assertError(gateway.send("GET", "/v1/turns/turn_y/events", "last-event-id", id + ":2"), 400, "invalid_request");
        gateway.port.forget(turn);
        assertError(gateway.send("GET", "/v1/turns/" + id + "/events"), 404, "turn_not_found");
    }

    @Test
    void testResumeOfATurnThatOnlyTheJobKnows() throws Exception {
        gateway.port.onTurn(turn -> turn.text("a").text("b").finish(TurnFinished.Reason.STOP));
        String whole = gateway.post(HELLO_STREAM, "session-id", "s").body();
        TestingTurnStream turn = gateway.port.nextTurn();
        String rest = whole.substring(whole.indexOf("id: " + turn.requestId() + ":2\n"));
        gateway.port.forget(turn);
        assertThat(gateway.post(HELLO_STREAM, "session-id", "s", "last-event-id", turn.requestId() + ":1")
                        .body())
                .isEqualTo(rest);
        TestingTurnStream again = gateway.port.nextTurn();
        assertThat(again.request()).isEqualTo(turn.request());

        TestingGateway younger = new TestingGateway();
        try (younger) {
            younger.port.onTurn(other -> other.text("a").text("b").finish(TurnFinished.Reason.STOP));
            assertThat(younger.post(HELLO_STREAM, "session-id", "s", "last-event-id", turn.requestId() + ":1")
                            .body())
                    .isEqualTo(rest);
            assertThat(younger.port.nextTurn().request()).isEqualTo(turn.request());
        }
    }

    @Test
    void testHeadersWaitForTheFirstChunkAndEventsForNothing() throws Exception {
        var response =
                gateway.client().sendAsync(gateway.request(HELLO_STREAM), HttpResponse.BodyHandlers.ofInputStream());
        TestingTurnStream turn = gateway.port.nextTurn();
        TestingGateway.await("a reader", () -> turn.subscriptionCount() == 1);
        assertThat(response).isNotDone();
        turn.text("");
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(response.get().body(), StandardCharsets.UTF_8));
        for (int i = 1; i < 20; i++) {
            assertThat(lines.readLine()).isEqualTo("id: " + turn.requestId() + ":" + i);
            assertThat(lines.readLine()).startsWith("data: ").contains("\"content\":\"" + (i == 1 ? "" : "t"));
            assertThat(lines.readLine()).isEmpty();
            turn.text("t" + i);
        }
        turn.finish(TurnFinished.Reason.STOP);
        while (lines.readLine() != null) {
            continue;
        }
    }

    @Test
    void testSilenceIsFilledWithComments() throws Exception {
        gateway.close();
        gateway = new TestingGateway(GatewayOptions.of(TestingGateway.MODEL)
                .withTimeouts(TestingGateway.timeouts(
                        Duration.ofSeconds(5), Duration.ofSeconds(30), Duration.ofSeconds(30), Duration.ofMillis(20))));
        var response =
                gateway.client().sendAsync(gateway.request(HELLO_STREAM), HttpResponse.BodyHandlers.ofInputStream());
        TestingTurnStream turn = gateway.port.nextTurn().text("a");
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(response.get().body(), StandardCharsets.UTF_8));
        for (int i = 0; i < 3; i++) {
            lines.readLine();
        }
        for (int i = 0; i < 3; i++) {
            assertThat(lines.readLine()).isEqualTo(": keep-alive");
            assertThat(lines.readLine()).isEmpty();
        }
        turn.finish(TurnFinished.Reason.STOP);
        while (lines.readLine() != null) {
            continue;
        }
    }

    @Test
    void testATurnThatTakesTooLong() throws Exception {
        gateway.close();
        gateway = new TestingGateway(GatewayOptions.of(TestingGateway.MODEL)
                .withTimeouts(TestingGateway.timeouts(
                        Duration.ofSeconds(5), Duration.ofMillis(200), Duration.ofMillis(400), Duration.ofSeconds(9))));
        assertError(gateway.post(HELLO_STREAM), 504, "timeout");
        assertThat(gateway.port.nextCancelled()).isNotEmpty();
        gateway.port.onTurn(turn -> turn.text("a"));
        List<SseEvent> events =
                SseEvent.parse(gateway.post(HELLO_STREAM, "session-id", "s").body());
        assertThat(events.get(1).event()).isEqualTo("error");
        assertThat(gateway.port.cancelledCount()).isZero();
        gateway.port.onTurn(turn -> {});
        assertError(gateway.post(TestingGateway.HELLO), 504, "timeout");
    }
}
