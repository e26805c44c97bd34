package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.local.LocalPort;
import io.millrace.connector.port.TurnStream;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A turn as the client of a port sees it: its tokens, and when each came, by {@link System#nanoTime}. */
final class ObservedTurn implements AutoCloseable {
    private static final long LIMIT_SECONDS = 300;

    private final String name;
    private final long sentNanos;
    private final TurnStream stream;
    private final TurnStream.Subscription subscription;
    private final CountDownLatch firstToken = new CountDownLatch(1);
    private final CountDownLatch end = new CountDownLatch(1);

    // Written by whoever delivers chunks, one at a time.
    private final List<Integer> tokens = new ArrayList<>();
    private long[] nanos = new long[1024];
    private int readChunks;
    private @Nullable TokenChunk last;

    private ObservedTurn(LocalPort port, AgentRequest request) {
        name = request.getSessionId() + "/" + request.getRequestId();
        sentNanos = System.nanoTime();
        stream = port.submit(request);
        subscription = stream.onProgress(this::read);
    }

    /** Sends a request. */
    static ObservedTurn send(LocalPort port, AgentRequest request) {
        return new ObservedTurn(port, request);
    }

    private synchronized void read() {
        long now = System.nanoTime();
        for (TokenChunk chunk = stream.chunk(readChunks); chunk != null; chunk = stream.chunk(readChunks)) {
            readChunks++;
            for (int token : chunk.getTokenIdsList()) {
                if (tokens.size() == nanos.length) {
                    nanos = Arrays.copyOf(nanos, 2 * nanos.length);
                }
                nanos[tokens.size()] = now;
                tokens.add(token);
                firstToken.countDown();
            }
            last = chunk;
        }
        if (stream.isComplete()) {
            firstToken.countDown();
            end.countDown();
        }
        notifyAll();
    }

    /** Waits until the turn has so many tokens or has ended. */
    synchronized ObservedTurn awaitTokens(int count) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (tokens.size() < count && end.getCount() > 0) {
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (left <= 0) {
                throw new IllegalStateException("turn " + name + " has " + tokens.size() + " of " + count
                        + " tokens after " + LIMIT_SECONDS + " s");
            }
            wait(left);
        }
        return this;
    }

    /** Waits until the turn has ended well. */
    ObservedTurn await() throws InterruptedException {
        if (!end.await(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("turn " + name + " did not end within " + LIMIT_SECONDS + " s");
        }
        synchronized (this) {
            TokenChunk chunk = requireNonNull(last, "a turn that ended has a last chunk");
            if (chunk.hasFailed()) {
                throw new IllegalStateException("turn " + name + " failed: "
                        + chunk.getFailed().getCode() + ": " + chunk.getFailed().getMessage());
            }
        }
        return this;
    }

    /** Whether the turn has ended. */
    boolean hasEnded() {
        return end.getCount() == 0;
    }

    /** Milliseconds from the request to the first token. */
    synchronized double ttftMs() {
        if (tokens.isEmpty()) {
            throw new IllegalStateException("turn " + name + " has no tokens");
        }
        return (nanos[0] - sentNanos) / 1e6;
    }

    /** The tokens so far. */
    synchronized List<Integer> tokens() {
        return List.copyOf(tokens);
    }

    /** When each of the tokens so far came. */
    synchronized long[] nanos() {
        return Arrays.copyOf(nanos, tokens.size());
    }

    /** Prompt tokens of an ended turn that needed no computing, as the job reports it. */
    synchronized int cachedTokens() {
        return requireNonNull(last, "last").getFinished().getCachedTokens();
    }

    @Override
    public void close() {
        subscription.close();
    }
}
