package io.millrace.connector.port;

import io.millrace.proto.TokenChunk;
import org.jspecify.annotations.Nullable;

/**
 * The chunks of one turn, kept in order of their offsets with repetitions dropped, so that any number of readers can
 * read them at their own pace and from any offset.
 */
public interface TurnStream {
    /** The session of the turn. */
    String sessionId();

    /** The request that began the turn. */
    String requestId();

    /** The chunk at a place in the stream (0 is the first), or null if it has not come yet. */
    @Nullable
    TokenChunk chunk(int index);

    /** Chunks that have come. */
    int chunkCount();

    /** Whether the last chunk has come: it carries {@code finished} or {@code failed}. */
    boolean isComplete();

    /**
     * Calls the listener soon after each chunk that comes from now on, and once at the start; calls may be merged. The
     * listener must return quickly. Closing the result ends it.
     */
    Subscription onProgress(Runnable listener);

    /** A reader's interest in a stream. */
    interface Subscription extends AutoCloseable {
        @Override
        void close();
    }
}
