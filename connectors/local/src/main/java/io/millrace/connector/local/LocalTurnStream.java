package io.millrace.connector.local;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.port.TurnStream;
import io.millrace.kv.ErrorCode;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.TurnFailed;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** One turn at a {@link LocalPort}: its request as long as the turn is open, and its chunks in the order of offsets. */
final class LocalTurnStream implements TurnStream {
    /** What a chunk did to the turn. */
    enum Delivery {
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
    private @Nullable AgentRequest request;
    private @Nullable AgentRequest cancel;
    private int nextOffset;
    private long bytes = OVERHEAD_BYTES;
    private boolean complete;
    private boolean gapReported;

    LocalTurnStream(AgentRequest request) {
        this.key = TurnKey.of(request);
        this.request = request;
    }

    TurnKey key() {
        return key;
    }

    @Override
    public String sessionId() {
        return key.sessionId();
    }

    @Override
    public String requestId() {
        return key.requestId();
    }

    @Override
    public @Nullable TokenChunk chunk(int index) {
        synchronized (lock) {
            return index < chunks.size() ? chunks.get(index) : null;
        }
    }

    @Override
    public int chunkCount() {
        synchronized (lock) {
            return chunks.size();
        }
    }

    @Override
    public boolean isComplete() {
        synchronized (lock) {
            return complete;
        }
    }

    @Override
    public Subscription onProgress(Runnable listener) {
        requireNonNull(listener, "listener");
        listeners.add(listener);
        listener.run();
        return () -> listeners.remove(listener);
    }

    int subscriptionCount() {
        return listeners.size();
    }

    /** The request, or null once the turn has ended. */
    @Nullable
    AgentRequest request() {
        synchronized (lock) {
            return request;
        }
    }

    /** The wish to end the turn early, or null if there is none or the turn has ended. */
    @Nullable
    AgentRequest cancel() {
        synchronized (lock) {
            return cancel;
        }
    }

    /** Remembers that the turn is to end early; false if that was known or the turn has ended. */
    boolean setCancel(AgentRequest newCancel) {
        synchronized (lock) {
            if (complete || cancel != null) {
                return false;
            }
            cancel = newCancel;
            return true;
        }
    }

    /** Bytes that the turn takes, about. */
    long bytes() {
        synchronized (lock) {
            return bytes;
        }
    }

    /** True the first time it is asked since the turn got on: a gap is to be repaired once, not once a chunk. */
    boolean reportGap() {
        synchronized (lock) {
            boolean first = !gapReported;
            gapReported = true;
            return first;
        }
    }

    /** The chunk that ends the turn with an error. */
    TokenChunk failure(ErrorCode code, String message) {
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
    Delivery append(TokenChunk chunk) {
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
        gapReported = false;
        if (!last) {
            return Delivery.APPENDED;
        }
        complete = true;
        request = null;
        cancel = null;
        return Delivery.COMPLETED;
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
    void tellListeners() {
        for (Runnable listener : listeners) {
            listener.run();
        }
    }
}
