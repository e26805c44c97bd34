package io.millrace.connector.local;

import io.millrace.proto.AgentRequest;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A source reader's hold on a {@link LocalPort}. A later attachment takes the port over. */
final class LocalAttachment implements AutoCloseable {
    private final LocalPort port;
    private final Object lock = new Object();
    private CompletableFuture<Void> wakeUp = new CompletableFuture<>();

    LocalAttachment(LocalPort port) {
        this.port = port;
    }

    /** The next request, or null if none waits. */
    @Nullable
    AgentRequest poll() {
        return port.poll(this);
    }

    /** Whether the port was drained and every request was read. */
    boolean isExhausted() {
        return port.isExhausted(this);
    }

    /** Completes when there is something to do. */
    CompletableFuture<Void> available() {
        CompletableFuture<Void> future;
        synchronized (lock) {
            if (wakeUp.isDone()) {
                wakeUp = new CompletableFuture<>();
            }
            future = wakeUp;
        }
        // Asked after the future is in place: whatever comes later completes it.
        return port.hasRequests(this) || port.isExhausted(this) ? LocalPort.immediately() : future;
    }

    void wake() {
        CompletableFuture<Void> future;
        synchronized (lock) {
            future = wakeUp;
        }
        future.complete(null);
    }

    @Override
    public void close() {
        port.detach(this);
    }
}
