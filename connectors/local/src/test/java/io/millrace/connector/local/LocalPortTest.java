package io.millrace.connector.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.connector.port.TurnStream;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.CloseRequest;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.TurnFailed;
import io.millrace.proto.TurnFinished;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LocalPortTest {
    private final LocalPort port = LocalPort.open("test", new LocalPortOptions(4, 3, 2, 1 << 20));

    @AfterEach
    void closePort() {
        port.close();
    }

    @Test
    void takesNothingBeforeAJobCame() {
        assertThat(port.isReady()).isFalse();
        assertRefused(ErrorCode.UNAVAILABLE, () -> port.submit(request("s", "r")));
    }

    @Test
    void requestsComeOutInOrderAndWakeTheReader() {
        LocalAttachment reader = port.attach();
        assertThat(port.isReady()).isTrue();
        CompletableFuture<Void> available = reader.available();
        assertThat(available).isNotDone();
        port.submit(request("s", "1"));
        port.submit(request("s", "2"));
        assertThat(available).isDone();
        assertThat(reader.available()).isDone();
        assertThat(reader.poll()).isEqualTo(request("s", "1"));
        assertThat(reader.poll()).isEqualTo(request("s", "2"));
        assertThat(reader.poll()).isNull();
        assertThat(reader.available()).isNotDone();
    }

    @Test
    void sameRequestJoinsItsTurn() {
        LocalAttachment reader = port.attach();
        TurnStream first = port.submit(request("s", "r"));
        assertThat(port.submit(request("s", "r"))).isSameAs(first);
        assertThat(port.find("s", "r")).containsSame(first);
        assertThat(port.find("s", "other")).isEmpty();
        assertThat(port.openTurns()).isEqualTo(1);
        assertThat(reader.poll()).isNotNull();
        assertThat(reader.poll()).isNull();
    }

    @Test
    void limitsAreRefusals() {
        LocalAttachment reader = port.attach();
        for (int i = 0; i < 3; i++) {
            port.submit(request("s", "r" + i));
        }
        assertRefused(ErrorCode.QUEUE_FULL, () -> port.submit(request("s", "r3")));
        assertThat(reader.poll()).isNotNull();
        port.submit(request("s", "r3"));
        assertThat(reader.poll()).isNotNull();
        assertRefused(ErrorCode.QUEUE_FULL, () -> port.submit(request("s", "r4")));
        assertThat(port.openTurns()).isEqualTo(4);
        port.deliver(finished("s", "r0", 0));
        port.submit(request("s", "r4"));
        assertThat(port.openTurns()).isEqualTo(4);
    }

    @Test
    void badRequestsAreRefused() {
        port.attach();
        assertRefused(ErrorCode.INVALID_REQUEST, () -> port.submit(request("", "r")));
        assertRefused(ErrorCode.INVALID_REQUEST, () -> port.submit(request("s", "")));
        assertRefused(
                ErrorCode.INVALID_REQUEST,
                () -> port.submit(request("s", "r").toBuilder().clearChat().build()));
    }

    @Test
    void repeatedChunksAreDropped() {
        port.attach();
        TurnStream turn = port.submit(request("s", "r"));
        List<Integer> progress = new ArrayList<>();
        TurnStream.Subscription subscription = turn.onProgress(() -> progress.add(turn.chunkCount()));
        port.deliver(chunk("s", "r", 0, 11));
        port.deliver(chunk("s", "r", 1, 12, 13));
        port.deliver(chunk("s", "r", 0, 11));
        port.deliver(chunk("s", "r", 1, 12, 13));
        port.deliver(finished("s", "r", 3));
        assertThat(port.subscriptionCount()).isOne();
        subscription.close();
        assertThat(port.subscriptionCount()).isZero();
        assertThat(progress).containsExactly(0, 1, 2, 3);
        assertThat(turn.isComplete()).isTrue();
        assertThat(turn.chunk(1)).isEqualTo(chunk("s", "r", 1, 12, 13));
        assertThat(turn.chunk(3)).isNull();
        port.deliver(finished("s", "r", 3));
        assertThat(turn.chunkCount()).isEqualTo(3);
        assertThat(port.openTurns()).isZero();
    }

    @Test
    void newReaderGetsEveryOpenTurnAgainAndTheOldOneNothing() {
        LocalAttachment lost = port.attach();
        port.submit(request("s", "1"));
        port.submit(request("s", "2"));
        port.submit(request("s", "3"));
        assertThat(lost.poll()).isNotNull();
        assertThat(lost.poll()).isNotNull();
        port.deliver(finished("s", "1", 0));
        port.cancel("s", "2", "test");
        LocalAttachment reader = port.attach();
        lost.close();
        assertThat(port.isReady()).isTrue();
        assertThat(lost.poll()).isNull();
        assertThat(reader.poll()).isEqualTo(request("s", "2"));
        assertThat(reader.poll()).matches(AgentRequest::hasCancel);
        assertThat(reader.poll()).isEqualTo(request("s", "3"));
        assertThat(reader.poll()).isNull();
    }

    @Test
    void closeIsOfferedAgainLikeATurnAndInItsPlace() {
        LocalAttachment lost = port.attach();
        port.submit(request("s", "1"));
        TurnStream closed = port.submit(close("s", "c"));
        port.submit(request("s", "2"));
        assertThat(port.submit(close("s", "c"))).isSameAs(closed);
        lost.close();
        LocalAttachment reader = port.attach();
        assertThat(reader.poll()).isEqualTo(request("s", "1"));
        assertThat(reader.poll()).isEqualTo(close("s", "c"));
        assertThat(reader.poll()).isEqualTo(request("s", "2"));
        port.deliver(finished("s", "1", 0));
        port.deliver(finished("s", "c", 0));
        assertThat(closed.isComplete()).isTrue();
        assertThat(port.openTurns()).isOne();
        LocalAttachment next = port.attach();
        assertThat(next.poll()).isEqualTo(request("s", "2"));
        assertThat(next.poll()).isNull();
    }

    @Test
    void requestsWaitWhileTheJobRestarts() {
        port.attach().close();
        assertThat(port.isReady()).isFalse();
        port.submit(request("s", "r"));
        assertThat(port.attach().poll()).isEqualTo(request("s", "r"));
    }

    @Test
    void gapIsRepairedByOfferingTheRequestAgainOnce() {
        LocalAttachment reader = port.attach();
        TurnStream turn = port.submit(request("s", "r"));
        assertThat(reader.poll()).isNotNull();
        port.deliver(chunk("s", "r", 2, 13));
        port.deliver(chunk("s", "r", 3, 14));
        assertThat(turn.chunkCount()).isZero();
        assertThat(reader.poll()).isEqualTo(request("s", "r"));
        assertThat(reader.poll()).isNull();
        for (int i = 0; i < 5; i++) {
            port.deliver(chunk("s", "r", i, 11 + i));
        }
        assertThat(turn.chunkCount()).isEqualTo(5);
    }

    @Test
    void turnThatEndsBeforeThePlaceItHadReachedIsComplete() {
        port.attach();
        TurnStream turn = port.submit(request("s", "r"));
        port.deliver(chunk("s", "r", 0, 11, 12, 13));
        port.deliver(finished("s", "r", 1).toBuilder().addTokenIds(12).build());
        assertThat(turn.isComplete()).isTrue();
        TokenChunk last = turn.chunk(1);
        assertThat(last.getOffset()).isEqualTo(3);
        assertThat(last.getTokenIdsList()).isEmpty();
        assertThat(last.hasFinished()).isTrue();
    }

    @Test
    void failureEndsATurnEvenAcrossAGap() {
        port.attach();
        TurnStream turn = port.submit(request("s", "r"));
        port.deliver(TokenChunk.newBuilder()
                .setSessionId("s")
                .setRequestId("r")
                .setOffset(7)
                .setFailed(TurnFailed.newBuilder().setCode("INTERNAL"))
                .build());
        assertThat(turn.isComplete()).isTrue();
        assertThat(turn.chunk(0).getOffset()).isZero();
    }

    @Test
    void cancelIsPassedOnOnceAndOnlyForOpenTurns() {
        LocalAttachment reader = port.attach();
        port.cancel("s", "unknown", "test");
        port.submit(request("s", "r"));
        port.cancel("s", "r", "client left");
        port.cancel("s", "r", "again");
        assertThat(reader.poll()).matches(AgentRequest::hasChat);
        assertThat(reader.poll().getCancel().getReason()).isEqualTo("client left");
        assertThat(reader.poll()).isNull();
        port.deliver(finished("s", "r", 0));
        port.cancel("s", "r", "late");
        assertThat(reader.poll()).isNull();
    }

    @Test
    void oldestEndedTurnsAreForgotten() {
        port.attach();
        for (int i = 0; i < 3; i++) {
            port.submit(request("s", "r" + i));
            port.deliver(finished("s", "r" + i, 0));
            assertThat(port.attach().poll()).isNull();
        }
        assertThat(port.find("s", "r0")).isEmpty();
        assertThat(port.find("s", "r1")).isPresent();
        assertThat(port.find("s", "r2")).isPresent();
        port.deliver(finished("s", "r0", 0));
        assertThat(port.unknownChunks()).isEqualTo(1);
    }

    @Test
    void retainedBytesAreBounded() {
        try (LocalPort small = LocalPort.open("small", new LocalPortOptions(4, 4, 100, 10))) {
            small.attach();
            small.submit(request("s", "r"));
            small.deliver(finished("s", "r", 0));
            assertThat(small.find("s", "r")).isEmpty();
        }
    }

    @Test
    void drainedPortTakesNothingAndEndsItsReader() {
        LocalAttachment reader = port.attach();
        port.submit(request("s", "r"));
        CompletableFuture<Void> available = reader.available();
        port.drain();
        assertThat(available).isDone();
        assertThat(port.isReady()).isFalse();
        assertRefused(ErrorCode.UNAVAILABLE, () -> port.submit(request("s", "r2")));
        assertThat(reader.isExhausted()).isFalse();
        assertThat(reader.poll()).isNotNull();
        assertThat(reader.isExhausted()).isTrue();
        assertThat(reader.available()).isDone();
    }

    @Test
    void closingFailsOpenTurnsAndFreesTheName() {
        port.attach();
        TurnStream turn = port.submit(request("s", "r"));
        assertThatThrownBy(() -> LocalPort.open("test", LocalPortOptions.DEFAULT))
                .isInstanceOf(IllegalStateException.class);
        port.close();
        assertThat(turn.chunk(0).getFailed().getCode()).isEqualTo("UNAVAILABLE");
        assertThat(port.openTurns()).isZero();
        assertRefused(ErrorCode.UNAVAILABLE, () -> LocalPort.named("test"));
        LocalPort.open("test", LocalPortOptions.DEFAULT).close();
    }

    private static void assertRefused(ErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private static AgentRequest close(String sessionId, String requestId) {
        return AgentRequest.newBuilder()
                .setSessionId(sessionId)
                .setRequestId(requestId)
                .setClose(CloseRequest.newBuilder().setReason("test"))
                .build();
    }

    static AgentRequest request(String sessionId, String requestId) {
        return AgentRequest.newBuilder()
                .setSessionId(sessionId)
                .setRequestId(requestId)
                .setChat(ChatRequest.getDefaultInstance())
                .build();
    }

    static TokenChunk chunk(String sessionId, String requestId, int offset, Integer... tokens) {
        return TokenChunk.newBuilder()
                .setSessionId(sessionId)
                .setRequestId(requestId)
                .setOffset(offset)
                .addAllTokenIds(List.of(tokens))
                .build();
    }

    static TokenChunk finished(String sessionId, String requestId, int offset) {
        return chunk(sessionId, requestId, offset).toBuilder()
                .setFinished(TurnFinished.newBuilder().setReason(TurnFinished.Reason.STOP))
                .build();
    }
}
