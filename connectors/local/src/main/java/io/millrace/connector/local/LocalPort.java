package io.millrace.connector.local;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.port.PortRequests;
import io.millrace.connector.port.RequestPort;
import io.millrace.connector.port.TurnBook;
import io.millrace.connector.port.TurnKey;
import io.millrace.connector.port.TurnStream;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A port to a job in the same process: {@link LocalSource} reads its requests and {@link LocalSink} delivers chunks to
 * it. It is found by its name, so it outlives restarts of the job.
 *
 * <p>Nothing is lost when the job restarts. Whenever a reader attaches, every turn that has not ended is offered to it
 * again, oldest first. A request that the restored job does not know is new to it. One that it knows makes Decode send
 * the turn's chunks again from the first, and the turn drops those it has; so it does not matter which chunks were
 * between Decode and the sink when the job failed, nor whether the turn had ended in the state that was restored.
 *
 * <p>A chunk that comes although chunks before it are missing (the process is new, and the job was restored into it) is
 * dropped, and its request is offered again for the same effect.
 */
public final class LocalPort implements RequestPort, AutoCloseable {
    private static final Map<String, LocalPort> PORTS = new ConcurrentHashMap<>();

    private final String name;
    private final LocalPortOptions options;

    private final Object lock = new Object();
    private final TurnBook<LocalTurnStream> turns;
    private final ArrayDeque<AgentRequest> queue = new ArrayDeque<>();
    private @Nullable LocalAttachment attachment;
    private boolean everAttached;
    private boolean draining;
    private long unknownChunks;

    private LocalPort(String name, LocalPortOptions options) {
        this.name = name;
        this.options = options;
        this.turns = new TurnBook<>(options.openTurnsMax(), options.retainedTurnsMax(), options.retainedBytesMax());
    }

    /**
     * Opens a port.
     *
     * @throws IllegalStateException if one of this name is open
     */
    public static LocalPort open(String name, LocalPortOptions options) {
        LocalPort port = new LocalPort(requireNonNull(name, "name"), requireNonNull(options, "options"));
        if (PORTS.putIfAbsent(name, port) != null) {
            throw new IllegalStateException("a local port named '" + name + "' is open already");
        }
        return port;
    }

    /**
     * Finds an open port.
     *
     * @throws ServingException {@code UNAVAILABLE} if there is none of this name in this process
     */
    public static LocalPort named(String name) {
        LocalPort port = PORTS.get(name);
        if (port == null) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE, "no local port named '" + name + "' is open in this process");
        }
        return port;
    }

    /** The port's name. */
    public String name() {
        return name;
    }

    @Override
    public TurnStream submit(AgentRequest request) {
        PortRequests.check(request);
        TurnKey key = TurnKey.of(request);
        LocalTurnStream turn;
        LocalAttachment reader;
        synchronized (lock) {
            LocalTurnStream known = turns.get(key);
            if (known != null) {
                return known;
            }
            checkRoom();
            turn = new LocalTurnStream(request);
            turns.add(turn);
            queue.add(request);
            reader = attachment;
        }
        wake(reader);
        return turn;
    }

    @Override
    public Optional<TurnStream> find(String sessionId, String requestId) {
        synchronized (lock) {
            return Optional.ofNullable(turns.get(new TurnKey(sessionId, requestId)));
        }
    }

    @Override
    public CompletionStage<Boolean> cancel(String sessionId, String requestId, String reason) {
        AgentRequest cancel = PortRequests.cancel(sessionId, requestId, reason);
        LocalAttachment reader;
        synchronized (lock) {
            LocalTurnStream turn = turns.get(TurnKey.of(cancel));
            if (turn == null) {
                return CompletableFuture.completedFuture(false);
            }
            if (!turn.setCancel(cancel)) {
                return CompletableFuture.completedFuture(true);
            }
            queue.add(cancel);
            reader = attachment;
        }
        wake(reader);
        return CompletableFuture.completedFuture(true);
    }

    @Override
    public int openTurns() {
        synchronized (lock) {
            return turns.openCount();
        }
    }

    @Override
    public boolean isReady() {
        synchronized (lock) {
            return attachment != null && !draining;
        }
    }

    /** Subscriptions to turns, ended ones included, that have not been closed. */
    public int subscriptionCount() {
        synchronized (lock) {
            return turns.subscriptionCount();
        }
    }

    /** Chunks that came for turns that this port does not know, such as those of a job restored into a new process. */
    public long unknownChunks() {
        synchronized (lock) {
            return unknownChunks;
        }
    }

    /** Takes no more requests; the source ends when it has read those that wait, and the job then drains. */
    public void drain() {
        LocalAttachment reader;
        synchronized (lock) {
            draining = true;
            reader = attachment;
        }
        wake(reader);
    }

    /** Ends every open turn with an error: for when the job is gone for good. */
    public void failOpenTurns(ErrorCode code, String message) {
        List<LocalTurnStream> open;
        synchronized (lock) {
            open = turns.open();
            queue.clear();
        }
        for (LocalTurnStream turn : open) {
            deliver(turn, turn.failure(code, message));
        }
    }

    /** Closes the port: takes no more requests, and ends the turns that are open with {@code UNAVAILABLE}. */
    @Override
    public void close() {
        drain();
        failOpenTurns(ErrorCode.UNAVAILABLE, "the job was shut down before the turn ended");
        PORTS.remove(name, this);
    }

    /** Takes a chunk from the sink. Repeated chunks are dropped. */
    void deliver(TokenChunk chunk) {
        LocalTurnStream turn;
        synchronized (lock) {
            turn = turns.get(TurnKey.of(chunk));
            if (turn == null) {
                unknownChunks++;
                return;
            }
        }
        deliver(turn, chunk);
    }

    /** Begins to hand requests to a reader, and no longer to one before it: first those of every open turn, again. */
    LocalAttachment attach() {
        synchronized (lock) {
            queue.clear();
            for (LocalTurnStream turn : turns.open()) {
                enqueueOpen(turn);
            }
            LocalAttachment reader = new LocalAttachment(this);
            attachment = reader;
            everAttached = true;
            return reader;
        }
    }

    void detach(LocalAttachment reader) {
        synchronized (lock) {
            if (attachment == reader) {
                attachment = null;
            }
        }
    }

    @Nullable
    AgentRequest poll(LocalAttachment reader) {
        synchronized (lock) {
            return attachment == reader ? queue.poll() : null;
        }
    }

    boolean hasRequests(LocalAttachment reader) {
        synchronized (lock) {
            return attachment == reader && !queue.isEmpty();
        }
    }

    boolean isExhausted(LocalAttachment reader) {
        synchronized (lock) {
            return attachment == reader && draining && queue.isEmpty();
        }
    }

    private void deliver(LocalTurnStream turn, TokenChunk chunk) {
        switch (turn.append(chunk)) {
            case APPENDED -> turn.tellListeners();
            case COMPLETED -> {
                // First the books, then the news: who hears of the end may ask how many turns are open.
                ended(turn);
                turn.tellListeners();
            }
            case REPEATED -> {}
            case GAP -> offerAgain(turn);
        }
    }

    private void offerAgain(LocalTurnStream turn) {
        LocalAttachment reader;
        synchronized (lock) {
            if (!turn.reportGap()) {
                return;
            }
            enqueueOpen(turn);
            reader = attachment;
        }
        wake(reader);
    }

    private void enqueueOpen(LocalTurnStream turn) {
        AgentRequest request = turn.request();
        if (request != null) {
            queue.add(request);
        }
        AgentRequest cancel = turn.cancel();
        if (cancel != null) {
            queue.add(cancel);
        }
    }

    private void ended(LocalTurnStream turn) {
        synchronized (lock) {
            turn.release();
            turns.ended(turn);
        }
    }

    private void checkRoom() {
        // A job that restarts will read what waits; one that never read anything may never come.
        if (draining || !everAttached) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE, draining ? "the job is shutting down" : "the job has not started yet");
        }
        turns.checkRoom();
        if (queue.size() >= options.queueCapacity()) {
            throw new ServingException(
                    ErrorCode.QUEUE_FULL, "there are " + queue.size() + " waiting requests, the most that are allowed");
        }
    }

    private static void wake(@Nullable LocalAttachment reader) {
        if (reader != null) {
            reader.wake();
        }
    }

    /** For a reader that has nothing to wait for. */
    static CompletableFuture<Void> immediately() {
        return CompletableFuture.completedFuture(null);
    }
}
