package io.millrace.operators;

import static java.util.Objects.requireNonNull;

import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;
import org.apache.flink.api.common.operators.MailboxExecutor;

/**
 * Hands things on, in order, while the task's output has room; they wait here while it has none. Whoever adds bounds
 * them. Used on the task thread.
 *
 * @param <T> what is handed on
 */
public final class GatedQueue<T> {
    /** Takes what is handed on. */
    @FunctionalInterface
    public interface Handler<T> {
        void handle(T item) throws Exception;
    }

    private final MailboxExecutor mailbox;
    private final OutputGate gate;
    private final Handler<T> handler;
    private final ArrayDeque<T> items = new ArrayDeque<>();
    private boolean waitingForRoom;

    /** An empty queue before an output. */
    public GatedQueue(MailboxExecutor mailbox, OutputGate gate, Handler<T> handler) {
        this.mailbox = requireNonNull(mailbox, "mailbox");
        this.gate = requireNonNull(gate, "gate");
        this.handler = requireNonNull(handler, "handler");
    }

    /** Hands an item on, now or when there is room. */
    public void add(T item) throws Exception {
        items.add(item);
        drain();
    }

    /** Drops what waits and matches. */
    public void removeIf(Predicate<T> matches) {
        items.removeIf(matches);
    }

    private void drain() throws Exception {
        while (!items.isEmpty()) {
            if (!gate.isOpen()) {
                waitForRoom();
                return;
            }
            handler.handle(items.remove());
        }
    }

    private void waitForRoom() {
        if (!waitingForRoom) {
            waitingForRoom = true;
            gate.whenRoom(this::mailDrain);
        }
    }

    // On whatever thread made room.
    private void mailDrain() {
        try {
            mailbox.execute(
                    () -> {
                        waitingForRoom = false;
                        drain();
                    },
                    "output has room");
        } catch (RejectedExecutionException e) {
            // The task has ended, and its output with it.
        }
    }
}
