package io.millrace.gateway;

import io.millrace.connector.port.RequestPort;
import io.millrace.connector.port.TurnStream;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.TurnFinished;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A job that a test plays: it says what turns answer, and sees what was submitted and cancelled. */
final class TestingRequestPort implements RequestPort {
    private final Map<String, TestingTurnStream> turns = new ConcurrentHashMap<>();
    private final BlockingQueue<TestingTurnStream> begun = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> cancelled = new LinkedBlockingQueue<>();
    private final Set<String> known = ConcurrentHashMap.newKeySet();
    private final List<TestingTurnStream> all = new CopyOnWriteArrayList<>();
    private volatile Consumer<TestingTurnStream> script = turn -> {};
    private volatile boolean ready = true;
    private volatile int capacity = Integer.MAX_VALUE;

    /** What happens to each turn when it begins; nothing unless a test says so. */
    void onTurn(Consumer<TestingTurnStream> newScript) {
        script = newScript;
    }

    void ready(boolean nowReady) {
        ready = nowReady;
    }

    void capacity(int turnCount) {
        capacity = turnCount;
    }

    /** The next turn that has begun. */
    TestingTurnStream nextTurn() throws InterruptedException {
        TestingTurnStream turn = begun.poll(20, TimeUnit.SECONDS);
        if (turn == null) {
            throw new AssertionError("no turn began within 20 s");
        }
        return turn;
    }

    /** The request id of the next turn that was cancelled. */
    String nextCancelled() throws InterruptedException {
        String requestId = cancelled.poll(20, TimeUnit.SECONDS);
        if (requestId == null) {
            throw new AssertionError("no turn was cancelled within 20 s");
        }
        return requestId;
    }

    int cancelledCount() {
        return cancelled.size();
    }

    int turnCount() {
        return all.size();
    }

    int subscriptionCount() {
        return all.stream().mapToInt(TestingTurnStream::subscriptionCount).sum();
    }

    /** Makes a turn known to the job though not to this port: another gateway began it. */
    void know(String sessionId, String requestId) {
        known.add(key(sessionId, requestId));
    }

    /** Forgets a turn, as a port with a bound does. */
    void forget(TestingTurnStream turn) {
        turns.remove(key(turn.sessionId(), turn.requestId()));
    }

    @Override
    public TurnStream submit(AgentRequest request) {
        if (!ready) {
            throw new ServingException(ErrorCode.UNAVAILABLE, "no job takes requests");
        }
        String key = key(request.getSessionId(), request.getRequestId());
        if (request.hasResend() && !turns.containsKey(key) && !known.contains(key)) {
            return new TestingTurnStream(request).fail("TURN_NOT_FOUND", "USER", "no such turn", "");
        }
        boolean[] isNew = new boolean[1];
        TestingTurnStream turn = turns.computeIfAbsent(key, name -> {
            if (openTurns() >= capacity) {
                throw new ServingException(ErrorCode.QUEUE_FULL, "the queue is full");
            }
            isNew[0] = true;
            return new TestingTurnStream(request);
        });
        if (isNew[0]) {
            all.add(turn);
            begun.add(turn);
            script.accept(turn);
        }
        return turn;
    }

    @Override
    public Optional<TurnStream> find(String sessionId, String requestId) {
        return Optional.ofNullable(turns.get(key(sessionId, requestId)));
    }

    @Override
    public CompletionStage<Boolean> cancel(String sessionId, String requestId, String reason) {
        TestingTurnStream turn = turns.get(key(sessionId, requestId));
        if (turn != null && !turn.isComplete()) {
            cancelled.add(requestId);
            turn.finish(TurnFinished.Reason.CANCELLED);
        }
        return CompletableFuture.completedFuture(turn != null);
    }

    @Override
    public int openTurns() {
        return (int) all.stream().filter(turn -> !turn.isComplete()).count();
    }

    @Override
    public boolean isReady() {
        return ready;
    }

    private static String key(String sessionId, String requestId) {
        return sessionId + "\n" + requestId;
    }
}
