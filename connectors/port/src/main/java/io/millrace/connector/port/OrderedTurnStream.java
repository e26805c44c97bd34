package io.millrace.connector.port;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.TurnFailed;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * One turn at a port: puts the chunks that come, in whatever order and however often, into the order of their offsets.
 * What a port keeps besides, its own kind of stream adds.
 */
public class OrderedTurnStream implements TurnStream {
    /** What a chunk did to the turn. */
    public enum Delivery {
        /** It is the next one. */
        APPENDED,
        /** It is the last one. */
        COMPLETED,
        /** It was here before. */
        REPEATED,
        /** Chunks before it are missing. */
        GAP
    }

    /** About what a turn takes besides its chunks. */
    private static final long OVERHEAD_BYTES = 256;

    private final TurnKey key;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

    private final Object lock = new Object();
    private final List<TokenChunk> chunks = new ArrayList<>();
    private int nextOffset;
    private long bytes = OVERHEAD_BYTES;
    private boolean complete;

    /** A turn of which nothing has come. */
    public OrderedTurnStream(TurnKey key) {
        this.key = requireNonNull(key, "key");
    }

    /** What identifies the turn. */
    public final TurnKey key() {
        return key;
    }

    @Override
    public final String sessionId() {
        return key.sessionId();
    }

    @Override
    public final String requestId() {
        return key.requestId();
    }

    @Override
    public final @Nullable TokenChunk chunk(int index) {
        synchronized (lock) {
            return index < chunks.size() ? chunks.get(index) : null;
        }
    }

    @Override
    public final int chunkCount() {
        synchronized (lock) {
            return chunks.size();
        }
    }

    @Override
    public final boolean isComplete() {
        synchronized (lock) {
            return complete;
        }
    }

    @Override
    public final Subscription onProgress(Runnable listener) {
        requireNonNull(listener, "listener");
        listeners.add(listener);
        listener.run();
        return () -> listeners.remove(listener);
    }

    /** Tokens that have come, which is the offset of the next one. */
    public final int tokenCount() {
        synchronized (lock) {
            return nextOffset;
        }
    }

    /** Subscriptions that have not been closed. */
    public final int subscriptionCount() {
        return listeners.size();
    }

    /** Bytes that the turn's chunks take, about. */
    public final long bytes() {
        synchronized (lock) {
            return bytes;
        }
    }

    /** The code of the error that the turn ended with; empty if it has not, or with none. */
    public final String failureCode() {
        synchronized (lock) {
            return complete ? chunks.get(chunks.size() - 1).getFailed().getCode() : "";
        }
    }

    /** The chunk that ends the turn with an error. */
    public final TokenChunk failure(ErrorCode code, String message) {
        return TokenChunk.newBuilder()
                .setSessionId(sessionId())
                .setRequestId(requestId())
                .setFailed(TurnFailed.newBuilder()
                        .setCode(code.name())
                        .setCategory(code.category().name())
                        .setMessage(message))
                .build();
    }

    /** Takes a chunk if it is the next one. The listeners are to be told then. */
    public final Delivery append(TokenChunk chunk) {
        synchronized (lock) {
            if (complete) {
                return Delivery.REPEATED;
            }
            boolean last = chunk.hasFinished() || chunk.hasFailed();
            if (chunk.getOffset() == nextOffset) {
                return add(chunk, last);
            }
            // A turn that is cancelled or fails after a restart may end before the place it had reached.
            boolean endsEarly = chunk.hasFailed() || (last && chunk.getOffset() < nextOffset);
            if (endsEarly) {
                return add(withoutTokens(chunk), true);
            }
            return chunk.getOffset() < nextOffset ? Delivery.REPEATED : Delivery.GAP;
        }
    }

    private Delivery add(TokenChunk chunk, boolean last) {
        chunks.add(chunk);
        nextOffset += chunk.getTokenIdsCount();
        bytes += chunk.getSerializedSize();
        complete = last;
        return last ? Delivery.COMPLETED : Delivery.APPENDED;
    }

    private TokenChunk withoutTokens(TokenChunk chunk) {
        return chunk.toBuilder()
                .setOffset(nextOffset)
                .clearTokenIds()
                .clearContent()
                .clearReasoningContent()
                .clearToolCalls()
                .build();
    }

    /** Tells the listeners that chunks came. */
    public final void tellListeners() {
        for (Runnable listener : listeners) {
            listener.run();
        }
    }
}
