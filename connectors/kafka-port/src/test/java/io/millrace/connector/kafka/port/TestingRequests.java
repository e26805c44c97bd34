package io.millrace.connector.kafka.port;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.port.TurnKey;
import io.millrace.connector.port.TurnStream;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.CloseRequest;
import io.millrace.proto.ResendRequest;
import io.millrace.proto.SamplingParams;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.TurnFinished;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Requests for tests, and what is expected of their turns. */
final class TestingRequests {
    private TestingRequests() {}

    static AgentRequest chat(String sessionId, String requestId, int tokens) {
        return named(sessionId, requestId)
                .setChat(ChatRequest.newBuilder()
                        .setSampling(SamplingParams.newBuilder().setMaxTokens(tokens)))
                .build();
    }

    static AgentRequest resend(String sessionId, String requestId) {
        return named(sessionId, requestId)
                .setResend(ResendRequest.getDefaultInstance())
                .build();
    }

    static AgentRequest close(String sessionId, String requestId) {
        return named(sessionId, requestId)
                .setClose(CloseRequest.getDefaultInstance())
                .build();
    }

    private static AgentRequest.Builder named(String sessionId, String requestId) {
        return AgentRequest.newBuilder().setSessionId(sessionId).setRequestId(requestId);
    }

    static void awaitEnd(TurnStream turn) throws InterruptedException {
        await("the end of turn " + turn.requestId() + " after " + turn.chunkCount() + " chunks", turn::isComplete);
    }

    static TokenChunk end(TurnStream turn) throws InterruptedException {
        awaitEnd(turn);
        return turn.chunk(turn.chunkCount() - 1);
    }

    /** A turn that has all of its tokens, each once. */
    static void assertWhole(TurnStream turn, int tokens) throws InterruptedException {
        TokenChunk end = end(turn);
        assertThat(end.getFinished().getReason()).as("%s", end).isEqualTo(TurnFinished.Reason.LENGTH);
        List<Integer> read = new ArrayList<>();
        List<Integer> wanted = new ArrayList<>();
        for (int i = 0; i < turn.chunkCount(); i++) {
            assertThat(turn.chunk(i).getOffset()).isEqualTo(read.size());
            read.addAll(turn.chunk(i).getTokenIdsList());
        }
        for (int i = 0; i < tokens; i++) {
            wanted.add(TestingKafkaJob.token(new TurnKey(turn.sessionId(), turn.requestId()), i));
        }
        assertThat(read).isEqualTo(wanted);
    }

    /** Waits, for what follows soon from what has happened. */
    static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within 60 s: " + what);
            }
            Thread.sleep(2);
        }
    }
}
