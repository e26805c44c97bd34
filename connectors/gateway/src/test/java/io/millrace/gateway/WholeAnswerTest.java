package io.millrace.gateway;

import static io.millrace.gateway.TestingGateway.HELLO;
import static io.millrace.gateway.TestingGateway.assertError;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.ToolCall;
import io.millrace.proto.TurnFinished;
import java.net.http.HttpResponse;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Answers in one piece. */
final class WholeAnswerTest {
    private static final String HEAD = "{\"id\":\"chatcmpl-turn_id1\",\"object\":\"chat.completion\","
            + "\"created\":1800000000,\"model\":\"test-model\",\"choices\":[{\"index\":0,\"message\":";
    private static final String USAGE = "\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":2,"
            + "\"total_tokens\":102,\"prompt_tokens_details\":{\"cached_tokens\":64}}";

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
    void testText() throws Exception {
        gateway.port.onTurn(turn -> turn.text("a").text("b").finish("\"c\"", TurnFinished.Reason.LENGTH));
        HttpResponse<String> response = gateway.post(HELLO, "session-id", "s");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type")).hasValue("application/json; charset=utf-8");
        assertThat(response.headers().firstValue("x-request-id")).hasValue("turn_id1");
        assertThat(response.headers().firstValue("x-millrace-session-id")).hasValue("s");
        assertThat(response.headers().map()).doesNotContainKey("server");
        assertThat(response.body())
                .isEqualTo(HEAD + "{\"role\":\"assistant\",\"content\":\"ab\\\"c\\\"\",\"refusal\":null},"
                        + "\"logprobs\":null,\"finish_reason\":\"length\"}]," + USAGE + "}");
    }

    @Test
    void testToolCallsReasoningAndExtras() throws Exception {
        ToolCall call = ToolCall.newBuilder()
                .setId("c")
                .setName("f")
                .setArgumentsJson("{}")
                .build();
        gateway.port.onTurn(
                turn -> turn.emit(TokenChunk.newBuilder().addTokenIds(5).setReasoningContent("hm"), false)
                        .calls(call)
                        .finish(TurnFinished.Reason.TOOL_CALLS));
        String extras = "{\"nvext\":{\"extra_fields\":[\"token_ids\",\"timing\"]},\"messages";
        String body = gateway.post(HELLO.replace("{\"messages", extras), "session-id", "s")
                .body();
        assertThat(body)
                .isEqualTo(HEAD + "{\"role\":\"assistant\",\"content\":null,\"refusal\":null,"
                        + "\"reasoning_content\":\"hm\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\","
                        + "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},\"logprobs\":null,"
                        + "\"finish_reason\":\"tool_calls\"}]," + USAGE
                        + ",\"nvext\":{\"timing\":{\"ttft_ms\":12.5,\"itl_ms\":2.25},\"token_ids\":[5,1]}}");
    }

    @Test
    void testEmptyAnswerIsText() throws Exception {
        gateway.port.onTurn(turn -> turn.finish(TurnFinished.Reason.STOP));
        assertThat(gateway.post(HELLO).body()).contains("\"content\":\"\"").contains("\"finish_reason\":\"stop\"");
    }

    @Test
    void testFailures() throws Exception {
        String[][] failures = {
            {"CONTEXT_LENGTH_EXCEEDED", "USER", "400"},
            {"TEMPLATE_REFUSED", "USER", "400"},
            {"QUEUE_FULL", "CAPACITY", "429"},
            {"OUT_OF_BLOCKS", "CAPACITY", "429"},
            {"UNAVAILABLE", "EXTERNAL", "503"},
            {"MODEL_FILE_INVALID", "EXTERNAL", "502"},
            {"INTERNAL", "INTERNAL", "500"},
        };
        for (String[] failure : failures) {
            gateway.port.onTurn(turn -> turn.text("a").fail(failure[0], failure[1], "why", ""));
            HttpResponse<String> response = gateway.post(HELLO);
            assertError(response, Integer.parseInt(failure[2]), failure[0].toLowerCase(Locale.ROOT));
            boolean retry = failure[0].equals("QUEUE_FULL") || failure[0].equals("UNAVAILABLE");
            assertThat(response.headers().firstValue("retry-after").isPresent()).isEqualTo(retry);
        }
        gateway.port.onTurn(turn -> turn.fail("FROM_THE_FUTURE", "CAPACITY", "why", ""));
        assertError(gateway.post(HELLO), 429, "queue_full");
    }

    @Test
    void testWhatTheJobGets() throws Exception {
        gateway.port.onTurn(turn -> turn.finish(TurnFinished.Reason.STOP));
        gateway.post(HELLO.replace("{\"messages", "{\"seed\":3,\"messages"), "session-id", "s");
        AgentRequest request = gateway.port.nextTurn().request();
        assertThat(request.getSessionId()).isEqualTo("s");
        assertThat(request.getRequestId()).isEqualTo("turn_id1");
        assertThat(request.getModel()).isEqualTo("test-model");
        assertThat(request.getArrivalMs()).isEqualTo(TestingGateway.NOW_SECONDS * 1_000);
        assertThat(request.getCacheSalt()).isEmpty();
        assertThat(request.getChat().getMessagesList())
                .containsExactly(ChatMessage.newBuilder()
                        .setRole("user")
                        .setContent("hello")
                        .build());
        assertThat(request.getChat().getSampling().getSeed()).isEqualTo(3);
    }
}
