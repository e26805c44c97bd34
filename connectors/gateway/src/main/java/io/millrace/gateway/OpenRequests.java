package io.millrace.gateway;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.concurrent.CompletableFuture;

/** Counts the requests that are being answered and the bytes of bodies that are being read, and keeps both bounded. */
final class OpenRequests {
    private final int maxRequests;
    private final long maxBodyBytes;
    private int requestCount;
    private long bodyBytes;
    private boolean stopping;
    private final CompletableFuture<Void> idle = new CompletableFuture<>();

    OpenRequests(int maxRequests, long maxBodyBytes) {
        this.maxRequests = maxRequests;
        this.maxBodyBytes = maxBodyBytes;
    }

    /**
     * Takes a request in, with a body of at most so many bytes. What is taken in must be {@link #close}d.
     *
     * @throws ServingException {@code QUEUE_FULL} if there is no room
     * @throws Refusal if the gateway is stopping
     */
    synchronized void open(long newBodyBytes) {
        if (stopping) {
            throw new Refusal(Failure.stopping());
        }
        if (requestCount >= maxRequests) {
            throw new ServingException(
                    ErrorCode.QUEUE_FULL,
                    "the gateway answers " + maxRequests + " requests already, which is its limit");
        }
        if (bodyBytes + newBodyBytes > maxBodyBytes) {
            throw new ServingException(ErrorCode.QUEUE_FULL, "the gateway is reading too many request bodies");
        }
        requestCount++;
        bodyBytes += newBodyBytes;
    }

    /** A body has been read and is no longer held. */
    synchronized void releaseBody(long releasedBytes) {
        bodyBytes -= releasedBytes;
    }

    /** A request has been answered. */
    synchronized void close() {
        requestCount--;
        completeIfIdle();
    }

    synchronized int count() {
        return requestCount;
    }

    /** Takes in no more requests; the result completes when all have been answered. */
    synchronized CompletableFuture<Void> stop() {
        stopping = true;
        completeIfIdle();
        return idle;
    }

    synchronized boolean isStopping() {
        return stopping;
    }

    private void completeIfIdle() {
        if (stopping && requestCount == 0) {
            idle.complete(null);
        }
    }
}
