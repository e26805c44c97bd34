package io.millrace.operators.decode.coordination;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ControlCall;
import io.millrace.proto.ControlRequest;
import io.millrace.proto.ControlResponse;
import io.millrace.proto.ListSessionsRequest;
import io.millrace.proto.SaveBlocksRequest;
import io.millrace.proto.SaveBlocksResult;
import io.millrace.proto.SessionInfo;
import io.millrace.proto.SessionsPage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;
import org.junit.jupiter.api.Test;

class DecodeControlTest {
    private static final ControlRequest SAVE = ControlRequest.newBuilder()
            .setSaveBlocks(SaveBlocksRequest.getDefaultInstance())
            .build();

    private final List<ControlCall> answers = new ArrayList<>();
    private final DecodeControl control = new DecodeControl(event -> answers.add(call(event)));
    private final Sessions sessions = new Sessions();

    @Test
    void answersWithAnErrorUntilTheOperatorIsOpen() {
        ask(1, list("", 1));
        assertError(0, ErrorCode.UNAVAILABLE, "still starting");
    }

    @Test
    void listsAPage() {
        control.serve(sessions);
        ask(7, list("token", 5));
        assertThat(answers.get(0).getCallId()).isEqualTo(7);
        assertThat(answers.get(0).getResponse().getSessions().getSessionsList())
                .extracting(SessionInfo::getSessionId)
                .containsExactly("token-0", "token-1");
    }

    @Test
    void whatGoesWrongIsAnAnswer() {
        control.serve(sessions);
        ask(1, list("bad", 5));
        assertError(0, ErrorCode.INVALID_REQUEST, "bad on purpose");
        ask(2, list("more", 1));
        assertError(1, ErrorCode.INTERNAL, "a page of 2 sessions");
        ask(3, ControlRequest.getDefaultInstance());
        assertError(2, ErrorCode.INVALID_REQUEST, "does not know");
        sessions.failSaves = true;
        ask(4, SAVE);
        assertError(3, ErrorCode.INTERNAL, "a defect on purpose");
        sessions.failSaves = false;
        ask(5, SAVE);
        assertThat(sessions.saves).hasSize(1);
        control.handleOperatorEvent(new OperatorEvent() {});
        assertThat(answers).hasSize(4);
    }

    @Test
    void savesThatComeDuringOneAreAnsweredByTheNext() {
        control.serve(sessions);
        ask(1, SAVE);
        ask(2, SAVE);
        ask(3, SAVE);
        assertThat(sessions.saves).hasSize(1);
        sessions.saves.get(0).accept(saved(10));
        assertThat(answers).extracting(ControlCall::getCallId).containsExactly(1L);
        assertThat(sessions.saves).hasSize(2);
        ask(4, SAVE);
        sessions.saves.get(1).accept(saved(20));
        assertThat(answers).extracting(ControlCall::getCallId).containsExactly(1L, 2L, 3L);
        assertThat(answers.get(2).getResponse().getSaved().getBlocks()).isEqualTo(20);
        sessions.saves.get(2).accept(saved(30));
        assertThat(answers).hasSize(4);
        ask(5, SAVE);
        assertThat(sessions.saves).hasSize(4);
    }

    private void ask(long callId, ControlRequest request) {
        control.handleOperatorEvent(new DecodeControlEvent(
                ControlCall.newBuilder().setCallId(callId).setRequest(request).build()));
    }

    private void assertError(int index, ErrorCode code, String message) {
        ControlResponse response = answers.get(index).getResponse();
        assertThat(response.getError().getCode()).isEqualTo(code.name());
        assertThat(response.getError().getMessage()).contains(message);
    }

    private static ControlRequest list(String token, int limit) {
        return ControlRequest.newBuilder()
                .setListSessions(
                        ListSessionsRequest.newBuilder().setPageToken(token).setLimit(limit))
                .build();
    }

    private static SaveBlocksResult saved(long blocks) {
        return SaveBlocksResult.newBuilder().setBlocks(blocks).build();
    }

    private static ControlCall call(OperatorEvent event) {
        try {
            return ((DecodeControlEvent) event).call();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Has two sessions on every page; the test ends the saves. */
    private static final class Sessions implements DecodeSessions {
        final List<Consumer<SaveBlocksResult>> saves = new ArrayList<>();
        boolean failSaves;

        @Override
        public SessionsPage sessions(String pageToken, int limit) {
            if (pageToken.equals("bad")) {
                throw new ServingException(ErrorCode.INVALID_REQUEST, "bad on purpose");
            }
            return SessionsPage.newBuilder()
                    .addSessions(SessionInfo.newBuilder().setSessionId(pageToken + "-0"))
                    .addSessions(SessionInfo.newBuilder().setSessionId(pageToken + "-1"))
                    .build();
        }

        @Override
        public void saveAll(Consumer<SaveBlocksResult> done) {
            if (failSaves) {
                throw new IllegalStateException("a defect on purpose");
            }
            saves.add(done);
        }
    }
}
