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
import io.millrace.proto.CloseRequest;
import io.millrace.proto.OutputConstraint;
import io.millrace.proto.ResendRequest;
import io.millrace.proto.SamplingParams;
import io.millrace.proto.SpeculationHints;
import io.millrace.proto.Tool;
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
    private static final Duration REQUEST_TTL = Duration.ofMinutes(10);
    private static final Duration TTL = Duration.ofHours(1);

    private static int placementShift;

    private KeyedOneInputStreamOperatorTestHarness<String, AgentRequest, Turn> harness;

    @BeforeEach
    void open() throws Exception {
        placementShift = 0;
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
    void turnHoldsWhatItsOutputMayBe() throws Exception {
        OutputConstraint form = OutputConstraint.newBuilder()
                .setRegex("a+")
                .setParam("guided_regex")
                .build();
        SpeculationHints hints = SpeculationHints.newBuilder().setOff(true).build();
        AgentRequest.Builder request = request("s", "r", "hello").toBuilder();
        request.getChatBuilder().setOutputConstraint(form).setSpeculation(hints);
        Turn turn = routed(request.build());
        assertThat(turn.getOutputRules().getContent()).isEqualTo(form);
        assertThat(turn.getSpeculation()).isEqualTo(hints);
        assertThat(routed(request("s", "r2", "hello")).hasOutputRules()).isFalse();
        request.setRequestId("r3")
                .getChatBuilder()
                .setOutputConstraint(form.toBuilder().setRegex("(?=a)"));
        // Whether a form is supported may take long to say: that is Decode's.
        assertThat(routed(request.build()).hasRefused()).isFalse();
        request.setRequestId("r4").getChatBuilder().clearOutputConstraint().addTools(strictTool());
        Turn refused = routed(request.build());
        assertThat(refused.getRefused().getCode()).isEqualTo("INVALID_REQUEST");
        assertThat(refused.getRefused().getParam()).isEqualTo("tools");
    }

    private static Tool strictTool() {
        return Tool.newBuilder()
                .setName("get")
                .setDefinitionJson("{\"type\":\"function\",\"function\":{\"name\":\"get\",\"strict\":true}}")
                .build();
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
    void requestsAreForgottenAfterTheirTime() throws Exception {
        harness.setProcessingTime(1);
        routed(request("s", "r0", "hello"));
        harness.setProcessingTime(2);
        routed(request("s", "r1", "hello"));
        harness.setProcessingTime(REQUEST_TTL.toMillis() + 1);
        // Pruned when the log is written, which a repeat does not do.
        assertRepeat(routed(request("s", "r0", "hello")));
        routed(request("s", "r2", "hello"));
        assertThat(routed(request("s", "r0", "hello")).getRepeat()).isFalse();
        assertRepeat(routed(request("s", "r2", "hello")));
        assertRepeat(routed(request("s", "r0", "hello")));
    }

    @Test
    void sessionsPrefixIsWhatBothPromptsBeginWith() throws Exception {
        assertThat(routed(request("s", "r0", "hello")).getSessionPrefixTokens()).isZero();
        assertThat(routed(request("s", "r1", "help")).getSessionPrefixTokens()).isEqualTo("user:hel".length());
        assertThat(routed(request("s", "r2", "help me")).getSessionPrefixTokens())
                .isEqualTo("user:help".length());
        assertThat(routed(request("s", "r3", "help")).getSessionPrefixTokens()).isEqualTo("user:help".length());
        assertThat(routed(request("s", "r4", "help")).getSessionPrefixTokens()).isEqualTo("user:help\n".length());
        assertThat(routed(request("t", "r5", "help")).getSessionPrefixTokens()).isZero();
    }

    @Test
    void closeEndsTheSessionAndItsRequestsStayKnown() throws Exception {
        int placement = routed(request("s", "r0", "hello")).getPlacementHash();
        Turn closed = routed(close("s", "c"));
        assertThat(closed)
                .isEqualTo(Turn.newBuilder()
                        .setSessionId("s")
                        .setRequestId("c")
                        .setPlacementHash(placement)
                        .setClose(true)
                        .build());
        assertRepeat(routed(request("s", "r0", "hello")));
        // A new session: nothing of the old one's prompt is known.
        Turn next = routed(request("s", "r1", "hello"));
        assertThat(next.getRepeat()).isFalse();
        assertThat(next.getSessionPrefixTokens()).isZero();
        // The close that comes again says so, and does not end it.
        Turn again = routed(close("s", "c"));
        assertThat(again.getClose()).isTrue();
        assertRepeat(again);
        assertThat(routed(request("s", "r2", "hello")).getSessionPrefixTokens()).isPositive();
    }

    @Test
    void closeOfAnUnknownSessionIsAnsweredAlike() throws Exception {
        Turn closed = routed(close("s", "c"));
        assertThat(closed.getClose()).isTrue();
        assertThat(closed.getRepeat()).isFalse();
        assertThat(closed.getPlacementHash())
                .isEqualTo(SessionPlacement.bySessionId("s").hash());
        assertRepeat(routed(close("s", "c")));
        assertThat(routed(close("s", "c2")).getRepeat()).isFalse();
        assertRefused(close("s", ""), "INVALID_REQUEST", "request_id");
    }

    @Test
    void sessionAfterACloseIsPlacedAnewAlsoAfterARestore() throws Exception {
        placementShift = 1;
        int before = routed(request("s", "r0", "hello")).getPlacementHash();
        placementShift = 2;
        assertThat(routed(request("s", "r1", "hello")).getPlacementHash()).isEqualTo(before);
        assertThat(routed(close("s", "c")).getPlacementHash()).isEqualTo(before);
        OperatorSubtaskState state = harness.snapshot(1, 1);
        harness.close();
        harness = newHarness();
        harness.initializeState(state);
        harness.open();
        assertRepeat(routed(close("s", "c")));
        assertThat(routed(request("s", "r2", "hello")).getPlacementHash()).isEqualTo(before + 1);
        assertThat(routed(request("s", "r3", "hello")).getPlacementHash()).isEqualTo(before + 1);
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

    @Test
    void resendIsARepeatOfAKnownTurnAndRefusedForOthers() throws Exception {
        AgentRequest resend = request("s", "r", "").toBuilder()
                .setResend(ResendRequest.getDefaultInstance())
                .build();
        assertRefused(resend, "TURN_NOT_FOUND", "");
        assertThat(routed(request("s", "r", "hello")).getRepeat()).isFalse();
        assertRepeat(routed(resend));
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

    private static AgentRequest close(String sessionId, String requestId) {
        return AgentRequest.newBuilder()
                .setSessionId(sessionId)
                .setRequestId(requestId)
                .setClose(CloseRequest.newBuilder().setReason("test"))
                .build();
    }

    private static AgentRequest withMaxTokens(AgentRequest request, int maxTokens) {
        return request.toBuilder()
                .setChat(request.getChat().toBuilder()
                        .setSampling(SamplingParams.newBuilder().setMaxTokens(maxTokens)))
                .build();
    }

    private static SessionPlacement shifted(Turn turn) {
        SessionPlacement usual = PlacementPolicy.BY_SESSION_ID.place(turn);
        return new SessionPlacement(usual.sessionId(), usual.hash() + placementShift);
    }

    private static KeyedOneInputStreamOperatorTestHarness<String, AgentRequest, Turn> newHarness() throws Exception {
        KeyedOneInputStreamOperatorTestHarness<String, AgentRequest, Turn> created =
                new KeyedOneInputStreamOperatorTestHarness<>(
                        new SessionRouterOperatorFactory(
                                () -> new TestingModelText(100),
                                new RouterSettings("testing", REMEMBERED, REQUEST_TTL, TTL),
                                SessionRouterOperatorTest::shifted),
                        AgentRequest::getSessionId,
                        Types.STRING);
        created.setup(new ProtoSerializer<>(Turn.class));
        return created;
    }
}
