package io.millrace.operators.decode.coordination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ControlCall;
import io.millrace.proto.ControlRequest;
import io.millrace.proto.ControlResponse;
import io.millrace.proto.SaveBlocksResult;
import io.millrace.proto.SessionInfo;
import io.millrace.proto.SessionsPage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.flink.runtime.executiongraph.ExecutionAttemptID;
import org.apache.flink.runtime.messages.Acknowledge;
import org.apache.flink.runtime.operators.coordination.CoordinationRequest;
import org.apache.flink.runtime.operators.coordination.CoordinationResponse;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DecodeCoordinatorTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final TestingCoordinatorTimer timer = new TestingCoordinatorTimer();
    private int parallelism = 3;
    private final DecodeCoordinator coordinator = new DecodeCoordinator(() -> parallelism, timer);
    private final DecodeControlClient client =
            new DecodeControlClient("decode", (uid, request) -> coordinator.handleCoordinationRequest(request));
    private final List<Asked> asked = new ArrayList<>();
    private CompletableFuture<Acknowledge> delivery = CompletableFuture.completedFuture(Acknowledge.get());

    private record Asked(int subtask, ControlCall call) {}

    @AfterEach
    void nothingIsLeft() {
        coordinator.close();
        assertThat(timer.isClosed()).isTrue();
        assertThat(timer.size()).isZero();
    }

    @Test
    void savingIsAddedUpOverAllSubtasks() {
        run(0, 1, 2);
        CompletableFuture<SaveBlocksResult> saved = client.saveBlocks(TIMEOUT);
        assertThat(asked).extracting(Asked::subtask).containsExactlyInAnyOrder(0, 1, 2);
        answer(asked.get(1), saved(1, 10, 100, 3));
        answer(asked.get(0), saved(2, 20, 200, 0));
        assertThat(saved).isNotDone();
        // Twice is not two subtasks.
        answer(asked.get(0), saved(2, 20, 200, 0));
        assertThat(saved).isNotDone();
        answer(asked.get(2), saved(0, 0, 0, 1));
        assertThat(saved.join())
                .isEqualTo(SaveBlocksResult.newBuilder()
                        .setSubtasks(3)
                        .setSessions(3)
                        .setBlocks(30)
                        .setBytes(300)
                        .setSkippedBlocks(4)
                        .build());
        assertThat(timer.size()).isZero();
    }

    @Test
    void pageGoesOnThroughTheSubtasks() {
        run(0, 1, 2);
        CompletableFuture<SessionsPage> first = client.sessions("", 4);
        assertQuestion(0, 0, "", 4);
        answer(asked.get(0), page("", "a", "b"));
        assertQuestion(1, 1, "", 2);
        answer(asked.get(1), page("after c/:", "c"));
        assertThat(first.join().getSessionsList())
                .extracting(SessionInfo::getSessionId)
                .containsExactly("a", "b", "c");
        CompletableFuture<SessionsPage> second = client.sessions(first.join().getNextPageToken(), 0);
        assertQuestion(2, 1, "after c/:", DecodeSessions.PAGE_SESSIONS_MAX);
        answer(asked.get(2), page("", "d"));
        answer(asked.get(3), page(""));
        assertThat(second.join().getSessionsList())
                .extracting(SessionInfo::getSessionId)
                .containsExactly("d");
        assertThat(second.join().getNextPageToken()).isEmpty();
    }

    @Test
    void fullPageEndsBetweenTwoSubtasks() {
        run(0, 1, 2);
        CompletableFuture<SessionsPage> first = client.sessions("", 2);
        answer(asked.get(0), page("", "a", "b"));
        assertThat(first.join().getNextPageToken()).isEqualTo("1/3:");
        CompletableFuture<SessionsPage> second = client.sessions("1/3:", 1_000_000);
        assertQuestion(1, 1, "", DecodeSessions.PAGE_SESSIONS_MAX);
        answer(asked.get(1), page(""));
        answer(asked.get(2), page(""));
        assertThat(second.join().getSessionsCount()).isZero();
    }

    @Test
    void badRequestsAreAnsweredWithWhatIsWrong() {
        run(0, 1, 2);
        assertFails(client.sessions("", -1), ErrorCode.INVALID_REQUEST, "limit must not be negative: -1");
        for (String token : List.of("x", "1", "1/3", "a/3:", "1/b:", ":1/3", "-1/3:", "/:", "1/99999999999:")) {
            assertFails(client.sessions(token, 1), ErrorCode.INVALID_REQUEST, "this is no page token: " + token);
        }
        assertFails(client.sessions("1/2:x", 1), ErrorCode.INVALID_REQUEST, "rescaled");
        assertFails(client.sessions("3/3:x", 1), ErrorCode.INVALID_REQUEST, "rescaled");
        assertFails(client.saveBlocks(Duration.ofMillis(-1)), ErrorCode.INVALID_REQUEST, "timeout_ms");
        ControlResponse unknown = ControlResponses.unwrap(coordinator
                .handleCoordinationRequest(new DecodeControlRequest(ControlRequest.getDefaultInstance()))
                .join());
        assertThat(unknown.getError().getCode()).isEqualTo("INVALID_REQUEST");
        ControlResponse foreign = ControlResponses.unwrap(coordinator
                .handleCoordinationRequest(new CoordinationRequest() {})
                .join());
        assertThat(foreign.getError().getCode()).isEqualTo("INTERNAL");
        assertThat(asked).isEmpty();
    }

    @Test
    void subtaskThatDoesNotRunOrFailsEndsTheRequestsThatWaitForIt() {
        run(0, 1);
        assertFails(client.saveBlocks(TIMEOUT), ErrorCode.UNAVAILABLE, "subtask 2 of decode does not run");
        assertThat(asked).isEmpty();
        run(2);
        CompletableFuture<SaveBlocksResult> saved = client.saveBlocks(TIMEOUT);
        CompletableFuture<SessionsPage> sessions = client.sessions("", 1);
        coordinator.executionAttemptFailed(2, 0, null);
        assertFails(saved, ErrorCode.UNAVAILABLE, "subtask 2 of decode restarted");
        assertThat(sessions).isNotDone();
        coordinator.subtaskReset(0, 7);
        assertFails(sessions, ErrorCode.UNAVAILABLE, "subtask 0 of decode restarted");
        // What the attempts before answer after all is nobody's.
        asked.forEach(question -> answer(question, saved(1, 1, 1, 1)));
        run(0, 2);
        asked.clear();
        CompletableFuture<SaveBlocksResult> again = client.saveBlocks(TIMEOUT);
        asked.forEach(question -> answer(question, saved(1, 1, 1, 1)));
        assertThat(again.join().getSubtasks()).isEqualTo(3);
    }

    @Test
    void requestEndsAtItsTimeout() {
        run(0, 1, 2);
        CompletableFuture<SaveBlocksResult> saved = client.saveBlocks(TIMEOUT);
        answer(asked.get(1), saved(1, 1, 1, 1));
        timer.advance(TIMEOUT.toMillis() - 1);
        assertThat(saved).isNotDone();
        timer.advance(1);
        assertFails(saved, ErrorCode.UNAVAILABLE, "no answer of decode within 10000 ms from subtasks [0, 2]");
        CompletableFuture<SaveBlocksResult> unlimited = client.saveBlocks(Duration.ofDays(1));
        CompletableFuture<SaveBlocksResult> usual = client.saveBlocks(Duration.ZERO);
        timer.advance(DecodeCoordinator.TIMEOUT_DEFAULT.toMillis());
        assertFails(usual, ErrorCode.UNAVAILABLE, "no answer");
        timer.advance(DecodeCoordinator.TIMEOUT_MAX.toMillis());
        assertFails(unlimited, ErrorCode.UNAVAILABLE, "no answer");
    }

    @Test
    void eventThatCannotBeDeliveredEndsTheRequest() {
        run(0, 1, 2);
        delivery = new CompletableFuture<>();
        CompletableFuture<SaveBlocksResult> saved = client.saveBlocks(TIMEOUT);
        assertThat(saved).isNotDone();
        delivery.completeExceptionally(new IllegalStateException("on purpose"));
        assertFails(saved, ErrorCode.UNAVAILABLE, "does not run now");
        delivery = CompletableFuture.failedFuture(new IllegalStateException("on purpose"));
        assertFails(client.saveBlocks(TIMEOUT), ErrorCode.UNAVAILABLE, "does not run now");
    }

    @Test
    void subtasksErrorIsTheAnswer() {
        run(0, 1, 2);
        CompletableFuture<SaveBlocksResult> saved = client.saveBlocks(TIMEOUT);
        answer(asked.get(1), ControlResponses.error(ErrorCode.QUEUE_FULL, "full on purpose"));
        assertFails(saved, ErrorCode.QUEUE_FULL, "full on purpose");
    }

    @Test
    void numberOfRequestsIsLimited() {
        run(0, 1, 2);
        List<CompletableFuture<SessionsPage>> all = new ArrayList<>();
        for (int i = 0; i < DecodeCoordinator.REQUESTS_MAX; i++) {
            all.add(client.sessions("", 1));
        }
        assertFails(client.sessions("", 1), ErrorCode.QUEUE_FULL, "try again later");
        answer(asked.get(0), page("x", "a"));
        assertThat(all.get(0)).isDone();
        all.add(client.sessions("", 1));
        assertThat(all.get(16)).isNotDone();
        coordinator.close();
        assertFails(all.get(16), ErrorCode.UNAVAILABLE, "the job ends");
    }

    @Test
    void restoredCoordinatorKnowsNoSubtask() throws Exception {
        run(0, 1, 2);
        CompletableFuture<byte[]> state = new CompletableFuture<>();
        coordinator.checkpointCoordinator(1, state);
        CompletableFuture<SessionsPage> sessions = client.sessions("", 1);
        coordinator.resetToCheckpoint(1, state.join());
        assertFails(sessions, ErrorCode.UNAVAILABLE, "decode restarted");
        assertFails(client.sessions("", 1), ErrorCode.UNAVAILABLE, "subtask 0 of decode does not run");
        coordinator.resetToCheckpoint(OperatorCoordinator.NO_CHECKPOINT, null);
        parallelism = 1;
        run(0);
        asked.clear();
        CompletableFuture<SessionsPage> rescaled = client.sessions("", 1);
        answer(asked.get(0), page("", "a"));
        assertThat(rescaled.join().getNextPageToken()).isEmpty();
    }

    @Test
    void strangeEventsAreNoReasonToFail() {
        run(0, 1, 2);
        coordinator.handleEventFromOperator(0, 0, new OperatorEvent() {});
        coordinator.handleEventFromOperator(0, 0, event(99, saved(1, 1, 1, 1)));
    }

    @Test
    void answersTravelInAClassOfFlinksOwn() {
        CoordinationResponse wrapped = ControlResponses.wrap(saved(1, 2, 3, 4));
        assertThat(wrapped.getClass().getName()).startsWith("org.apache.flink.");
        assertThat(ControlResponses.unwrap(wrapped)).isEqualTo(saved(1, 2, 3, 4));
        assertFails(
                CompletableFuture.supplyAsync(
                        () -> ControlResponses.unwrap(new CoordinationResponse() {}), Runnable::run),
                ErrorCode.UNAVAILABLE,
                "did not answer");
    }

    private void run(int... subtasks) {
        for (int subtask : subtasks) {
            coordinator.executionAttemptReady(subtask, 0, new TestingSubtask(subtask));
        }
    }

    private void answer(Asked question, ControlResponse response) {
        coordinator.handleEventFromOperator(
                question.subtask(), 0, event(question.call().getCallId(), response));
    }

    private static DecodeControlEvent event(long callId, ControlResponse response) {
        return new DecodeControlEvent(
                ControlCall.newBuilder().setCallId(callId).setResponse(response).build());
    }

    private void assertQuestion(int index, int subtask, String token, int limit) {
        assertThat(asked).hasSize(index + 1);
        assertThat(asked.get(index).subtask()).isEqualTo(subtask);
        ControlRequest request = asked.get(index).call().getRequest();
        assertThat(request.getListSessions().getPageToken()).isEqualTo(token);
        assertThat(request.getListSessions().getLimit()).isEqualTo(limit);
    }

    private static ControlResponse page(String nextToken, String... sessionIds) {
        SessionsPage.Builder page = SessionsPage.newBuilder().setNextPageToken(nextToken);
        for (String sessionId : sessionIds) {
            page.addSessions(SessionInfo.newBuilder().setSessionId(sessionId));
        }
        return ControlResponse.newBuilder().setSessions(page).build();
    }

    static ControlResponse saved(int sessions, long blocks, long bytes, long skipped) {
        return ControlResponse.newBuilder()
                .setSaved(SaveBlocksResult.newBuilder()
                        .setSessions(sessions)
                        .setBlocks(blocks)
                        .setBytes(bytes)
                        .setSkippedBlocks(skipped))
                .build();
    }

    private static void assertFails(CompletableFuture<?> future, ErrorCode code, String message) {
        assertThat(future).isCompletedExceptionally();
        CompletionException thrown = catchThrowableOfType(CompletionException.class, future::join);
        assertThat(thrown.getCause()).isInstanceOf(ServingException.class).hasMessageContaining(message);
        assertThat(((ServingException) thrown.getCause()).code()).isEqualTo(code);
    }

    /** The way to a subtask that writes down what goes there. */
    private final class TestingSubtask implements OperatorCoordinator.SubtaskGateway {
        private final int subtask;

        TestingSubtask(int subtask) {
            this.subtask = subtask;
        }

        @Override
        public CompletableFuture<Acknowledge> sendEvent(OperatorEvent event) {
            try {
                asked.add(new Asked(subtask, ((DecodeControlEvent) event).call()));
            } catch (Exception e) {
                throw new AssertionError(e);
            }
            return delivery;
        }

        @Override
        public ExecutionAttemptID getExecution() {
            return ExecutionAttemptID.randomId();
        }

        @Override
        public int getSubtask() {
            return subtask;
        }
    }
}
