package io.millrace.gateway;

import io.millrace.connector.port.TurnStream;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.ToolCall;
import io.millrace.proto.TurnFailed;
import io.millrace.proto.TurnFinished;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A turn whose chunks a test emits when it likes. Counts its subscriptions. */
final class TestingTurnStream implements TurnStream {
    private final AgentRequest request;
    private final List<TokenChunk> chunks = new ArrayList<>();
    private final Set<Object> subscriptions = ConcurrentHashMap.newKeySet();
    private final Set<Runnable> listeners = ConcurrentHashMap.newKeySet();
    private volatile boolean complete;
    private int tokenCount;
    private int readCount;

    TestingTurnStream(AgentRequest request) {
        this.request = request;
    }

    AgentRequest request() {
        return request;
    }

    /** Emits one token that adds this text. */
    TestingTurnStream text(String content) {
        return emit(TokenChunk.newBuilder().addTokenIds(tokenCount).setContent(content), false);
    }

    TestingTurnStream calls(ToolCall... calls) {
        return emit(TokenChunk.newBuilder().addTokenIds(tokenCount).addAllToolCalls(List.of(calls)), false);
    }

    TestingTurnStream finish(TurnFinished.Reason reason) {
        return finish("", reason);
    }

    /** Ends the turn with text that was held back. */
    TestingTurnStream finish(String heldBack, TurnFinished.Reason reason) {
        return emit(
                TokenChunk.newBuilder()
                        .setContent(heldBack)
                        .setFinished(TurnFinished.newBuilder()
                                .setReason(reason)
                                .setPromptTokens(100)
                                .setCachedTokens(64)
                                .setCompletionTokens(tokenCount)
                                .setTtftMs(12.5)
                                .setItlMs(2.25)),
                true);
    }

    TestingTurnStream fail(String code, String category, String message, String param) {
        return emit(
                TokenChunk.newBuilder()
                        .setFailed(TurnFailed.newBuilder()
                                .setCode(code)
                                .setCategory(category)
                                .setMessage(message)
                                .setParam(param)),
                true);
    }

    TestingTurnStream emit(TokenChunk.Builder chunk, boolean last) {
        synchronized (this) {
            if (complete) {
                return this;
            }
            chunk.setSessionId(sessionId()).setRequestId(requestId()).setOffset(tokenCount);
            tokenCount += chunk.getTokenIdsCount();
            chunks.add(chunk.build());
            complete = last;
        }
        listeners.forEach(Runnable::run);
        return this;
    }

    /** Chunks that some reader has asked for. */
    synchronized int readCount() {
        return readCount;
    }

    int subscriptionCount() {
        return subscriptions.size();
    }

    @Override
    public String sessionId() {
        return request.getSessionId();
    }

    @Override
    public String requestId() {
        return request.getRequestId();
    }

    @Override
    public synchronized @Nullable TokenChunk chunk(int index) {
        readCount = Math.max(readCount, index + 1);
        return index < chunks.size() ? chunks.get(index) : null;
    }

    @Override
    public synchronized int chunkCount() {
        return chunks.size();
    }

    @Override
    public boolean isComplete() {
        return complete;
    }

    @Override
    public Subscription onProgress(Runnable listener) {
        Object subscription = new Object();
        subscriptions.add(subscription);
        listeners.add(listener);
        listener.run();
        return () -> {
            if (!subscriptions.remove(subscription)) {
                throw new AssertionError("a subscription was closed twice");
            }
            listeners.remove(listener);
        };
    }
}
