package io.millrace.operators.router;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.flink.ProtoSerializer;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.TokenIds;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.CancelRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.SamplingParams;
import io.millrace.proto.Turn;
import java.time.Duration;
import java.util.List;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SessionRouterOperatorTest {
    private static final int REMEMBERED = 3;
    private static final Duration TTL = Duration.ofHours(1);

    private KeyedOneInputStreamOperatorTestHarness<String, AgentRequest, Turn> harness;

    @BeforeEach
    void open() throws Exception {
        harness = newHarness();
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    @Test
    void turnHoldsAllThatDecidesItsTokens() throws Exception {
        Turn turn = routed(request("s", "r", "hello").toBuilder()
                .setCacheSalt("salt")
                .setArrivalMs(5)
                .build());
        assertThat(TokenIds.prompt(turn)).isEqualTo(TestingModelText.encode("user:hello\n"));
        assertThat(turn.getSampling().getMaxTokens()).isEqualTo(100 - turn.getPromptTokenIdsCount());
        assertThat(turn.getCacheSalt()).isEqualTo("salt");
        assertThat(turn.getArrivalMs()).isEqualTo(5);
        assertThat(turn.getCachedTokens()).isEqualTo(-1);
        assertThat(turn.getPlacementHash())
                .isEqualTo(SessionPlacement.bySessionId("s").hash());
    }

    @Test
    void knownRequestIsARepeatAlsoAfterARestore() throws Exception {
        assertThat(routed(request("s", "r", "hello")).getRepeat()).isFalse();
        assertRepeat(routed(request("s", "r", "hello")));
        assertThat(routed(request("t", "r", "hello")).getRepeat()).isFalse();
        OperatorSubtaskState state = harness.snapshot(1, 1);
        harness.close();
        harness = newHarness();
        harness.initializeState(state);
        harness.open();
        assertRepeat(routed(request("s", "r", "hello")));
        assertThat(routed(request("s", "r2", "hello")).getRepeat()).isFalse();
    }

    @Test
    void onlyTheLatestRequestsAreRemembered() throws Exception {
        for (int i = 0; i < 5; i++) {
            assertThat(routed(request("s", "r" + i, "hello")).getRepeat()).isFalse();
        }
        assertRepeat(routed(request("s", "r2", "hello")));
        assertThat(routed(request("s", "r1", "hello")).getRepeat()).isFalse();
    }

    @Test
    void sessionIsForgottenAfterItsTime() throws Exception {
        harness.setStateTtlProcessingTime(0);
        routed(request("s", "r", "hello"));
        harness.setStateTtlProcessingTime(TTL.toMillis() - 1);
        assertRepeat(routed(request("s", "r", "hello")));
        harness.setStateTtlProcessingTime(TTL.toMillis() + 1);
        assertThat(routed(request("s", "r", "hello")).getRepeat()).isFalse();
    }

    @Test
    void refusalTravelsAsATurnAndIsNotRemembered() throws Exception {
        AgentRequest tooLong = request("s", "r", "x".repeat(200));
        assertThat(routed(tooLong).getRefused().getCode()).isEqualTo("CONTEXT_LENGTH_EXCEEDED");
        assertThat(routed(tooLong).getRefused().getCode()).isEqualTo("CONTEXT_LENGTH_EXCEEDED");
        assertThat(routed(request("s", "r", "hello")).hasRefused()).isFalse();
    }

    @Test
    void badRequestsAreRefusedWithTheFieldAtFault() throws Exception {
        AgentRequest good = request("s", "r", "hello");
        assertRefused(good.toBuilder().setModel("other").build(), "MODEL_NOT_FOUND", "model");
        assertRefused(good.toBuilder().clearChat().build(), "INVALID_REQUEST", "");
        assertRefused(
                good.toBuilder().setChat(ChatRequest.getDefaultInstance()).build(), "INVALID_REQUEST", "messages");
        assertRefused(good.toBuilder().setRequestId("x".repeat(513)).build(), "INVALID_REQUEST", "request_id");
        assertRefused(withMaxTokens(good, -1), "INVALID_REQUEST", "max_tokens");
        assertRefused(withMaxTokens(good, 1_000_000_000), "CONTEXT_LENGTH_EXCEEDED", "max_tokens");
        assertThat(routed(withMaxTokens(good, 89)).getSampling().getMaxTokens()).isEqualTo(89);
    }

    @Test
    void cancelGoesOnForKnownTurnsOnly() throws Exception {
        AgentRequest cancel = request("s", "r", "").toBuilder()
                .setCancel(CancelRequest.newBuilder().setReason("test"))
                .build();
        harness.processElement(cancel, 0);
        assertThat(harness.extractOutputValues()).isEmpty();
        routed(request("s", "r", "hello"));
        Turn cancelled = routed(cancel);
        assertThat(cancelled.getCancel()).isTrue();
        assertThat(cancelled.getPlacementHash())
                .isEqualTo(SessionPlacement.bySessionId("s").hash());
    }

    private static void assertRepeat(Turn turn) {
        assertThat(turn.getRepeat()).isTrue();
        assertThat(turn.getPromptTokenIdsCount()).isZero();
    }

    private void assertRefused(AgentRequest request, String code, String param) throws Exception {
        Turn turn = routed(request);
        assertThat(turn.getRefused().getCode()).isEqualTo(code);
        assertThat(turn.getRefused().getParam()).isEqualTo(param);
    }

    private Turn routed(AgentRequest request) throws Exception {
        harness.getOutput().clear();
        harness.processElement(request, 0);
        List<Turn> turns = harness.extractOutputValues();
        assertThat(turns).hasSize(1);
        return turns.get(0);
    }

    private static AgentRequest request(String sessionId, String requestId, String text) {
        return AgentRequest.newBuilder()
                .setSessionId(sessionId)
                .setRequestId(requestId)
                .setChat(ChatRequest.newBuilder()
                        .addMessages(ChatMessage.newBuilder().setRole("user").setContent(text)))
                .build();
    }

    private static AgentRequest withMaxTokens(AgentRequest request, int maxTokens) {
        return request.toBuilder()
                .setChat(request.getChat().toBuilder()
                        .setSampling(SamplingParams.newBuilder().setMaxTokens(maxTokens)))
                .build();
    }

    private static KeyedOneInputStreamOperatorTestHarness<String, AgentRequest, Turn> newHarness() throws Exception {
        KeyedOneInputStreamOperatorTestHarness<String, AgentRequest, Turn> created =
                new KeyedOneInputStreamOperatorTestHarness<>(
                        new SessionRouterOperatorFactory(
                                () -> new TestingModelText(100),
                                new RouterSettings("testing", REMEMBERED, TTL),
                                PlacementPolicy.BY_SESSION_ID),
                        AgentRequest::getSessionId,
                        Types.STRING);
        created.setup(new ProtoSerializer<>(Turn.class));
        return created;
    }
}
