package io.millrace.operators.decode.coordination;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ControlCall;
import io.millrace.proto.ControlRequest;
import io.millrace.proto.ControlResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import org.apache.flink.runtime.operators.coordination.CoordinationRequest;
import org.apache.flink.runtime.operators.coordination.CoordinationRequestHandler;
import org.apache.flink.runtime.operators.coordination.CoordinationResponse;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decode's coordinator in the JobManager: passes what clients ask to the subtasks and answers with what those say. It
 * keeps nothing that a checkpoint would have to hold. A request always ends: with an error where a subtask does not
 * run, fails meanwhile, or does not answer in time.
 *
 * <p>Flink calls it on the JobMaster's thread and the timer on its own; a lock orders them.
 */
public final class DecodeCoordinator implements OperatorCoordinator, CoordinationRequestHandler {
    /** Requests under way at once; more are refused. */
    public static final int REQUESTS_MAX = 16;
    /** How long a request may take that does not say. */
    static final Duration TIMEOUT_DEFAULT = Duration.ofSeconds(60);
    /** Flink's REST server closes a connection on which nothing happens for five minutes. */
    static final Duration TIMEOUT_MAX = Duration.ofMinutes(4);

    private static final Logger LOG = LoggerFactory.getLogger(DecodeCoordinator.class);

    private final IntSupplier parallelism;
    private final CoordinatorTimer timer;
    private final Map<Integer, SubtaskGateway> gateways = new HashMap<>();
    private final Map<Long, Pending> pending = new HashMap<>();
    private long lastCallId;

    /**
     * A coordinator.
     *
     * @param parallelism subtasks of Decode
     * @param timer closed with it
     */
    DecodeCoordinator(IntSupplier parallelism, CoordinatorTimer timer) {
        this.parallelism = requireNonNull(parallelism, "parallelism");
        this.timer = requireNonNull(timer, "timer");
    }

    /** A request that is not answered yet. */
    private static final class Pending {
        final ControlExchange exchange;
        final CompletableFuture<CoordinationResponse> answer = new CompletableFuture<>();
        final Set<Integer> waitingFor = new HashSet<>();
        Runnable cancelTimeout = () -> {};

        Pending(ControlExchange exchange) {
            this.exchange = exchange;
        }
    }

    @Override
    public void start() {}

    @Override
    public synchronized void close() {
        endAll(ended -> true, "the job ends");
        timer.close();
    }

    @Override
    public synchronized CompletableFuture<CoordinationResponse> handleCoordinationRequest(CoordinationRequest request) {
        try {
            return begin(((DecodeControlRequest) request).request());
        } catch (Exception e) {
            return CompletableFuture.completedFuture(ControlResponses.wrap(ControlResponses.error(e)));
        }
    }

    private CompletableFuture<CoordinationResponse> begin(ControlRequest request) {
        if (pending.size() >= REQUESTS_MAX) {
            throw new ServingException(
                    ErrorCode.QUEUE_FULL, REQUESTS_MAX + " requests to decode are under way; try again later");
        }
        long timeoutMs = timeoutMs(request);
        Pending begun = new Pending(ControlExchange.of(request, parallelism.getAsInt()));
        long callId = ++lastCallId;
        pending.put(callId, begun);
        begun.cancelTimeout = timer.after(timeoutMs, () -> timedOut(callId, timeoutMs));
        ask(callId, begun, begun.exchange.begin());
        return begun.answer;
    }

    private static long timeoutMs(ControlRequest request) {
        long asked = request.getTimeoutMs();
        if (asked < 0) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "timeout_ms must not be negative: " + asked);
        }
        return asked == 0 ? TIMEOUT_DEFAULT.toMillis() : Math.min(asked, TIMEOUT_MAX.toMillis());
    }

    private void ask(long callId, Pending asking, List<ControlExchange.Question> questions) {
        for (ControlExchange.Question question : questions) {
            if (!gateways.containsKey(question.subtask())) {
                end(callId, notRunning(question.subtask()));
                return;
            }
            asking.waitingFor.add(question.subtask());
        }
        for (ControlExchange.Question question : questions) {
            send(callId, question);
        }
    }

    private void send(long callId, ControlExchange.Question question) {
        int subtask = question.subtask();
        ControlCall call = ControlCall.newBuilder()
                .setCallId(callId)
                .setRequest(question.request())
                .build();
        requireNonNull(gateways.get(subtask))
                .sendEvent(new DecodeControlEvent(call))
                .whenComplete((ok, failure) -> {
                    if (failure != null) {
                        LOG.warn("subtask {} of decode could not be asked", subtask, failure);
                        unreachable(callId, subtask);
                    }
                });
    }

    private synchronized void unreachable(long callId, int subtask) {
        end(callId, notRunning(subtask));
    }

    private static ControlResponse notRunning(int subtask) {
        return ControlResponses.error(
                ErrorCode.UNAVAILABLE, "subtask " + subtask + " of decode does not run now; try again later");
    }

    private synchronized void timedOut(long callId, long timeoutMs) {
        Pending late = pending.get(callId);
        if (late != null) {
            String message = "no answer of decode within " + timeoutMs + " ms from subtasks " + late.waitingFor;
            end(callId, ControlResponses.error(ErrorCode.UNAVAILABLE, message));
        }
    }

    /** Never throws: Flink would fail the job. */
    @Override
    public synchronized void handleEventFromOperator(int subtask, int attemptNumber, OperatorEvent event) {
        try {
            ControlCall call = ((DecodeControlEvent) event).call();
            Pending answered = pending.get(call.getCallId());
            if (answered != null && answered.waitingFor.remove(subtask)) {
                answered(call.getCallId(), answered, subtask, call.getResponse());
            }
        } catch (Exception e) {
            LOG.error("an answer of subtask {} of decode cannot be taken: {}", subtask, event, e);
        }
    }

    private void answered(long callId, Pending answered, int subtask, ControlResponse response) {
        if (response.hasError()) {
            end(callId, response);
            return;
        }
        ask(callId, answered, answered.exchange.answered(subtask, response));
        if (answered.waitingFor.isEmpty()) {
            end(callId, answered.exchange.result());
        }
    }

    private void end(long callId, ControlResponse response) {
        @Nullable Pending ended = pending.remove(callId);
        if (ended != null) {
            ended.cancelTimeout.run();
            ended.answer.complete(ControlResponses.wrap(response));
        }
    }

    private void endAll(Predicate<Pending> which, String why) {
        for (long callId : Set.copyOf(pending.keySet())) {
            if (which.test(requireNonNull(pending.get(callId)))) {
                end(callId, ControlResponses.error(ErrorCode.UNAVAILABLE, why + "; try again later"));
            }
        }
    }

    private void gone(int subtask) {
        gateways.remove(subtask);
        endAll(ended -> ended.waitingFor.contains(subtask), "subtask " + subtask + " of decode restarted");
    }

    @Override
    public synchronized void executionAttemptReady(int subtask, int attemptNumber, SubtaskGateway gateway) {
        gateways.put(subtask, requireNonNull(gateway, "gateway"));
    }

    @Override
    public synchronized void executionAttemptFailed(int subtask, int attemptNumber, @Nullable Throwable reason) {
        gone(subtask);
    }

    @Override
    public synchronized void subtaskReset(int subtask, long checkpointId) {
        gone(subtask);
    }

    @Override
    public void checkpointCoordinator(long checkpointId, CompletableFuture<byte[]> result) {
        result.complete(new byte[0]);
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) {}

    @Override
    public synchronized void resetToCheckpoint(long checkpointId, byte @Nullable [] checkpointData) {
        gateways.clear();
        endAll(ended -> true, "decode restarted");
    }
}
