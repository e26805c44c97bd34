package io.millrace.operators.router;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.operators.ModelText;
import io.millrace.operators.TurnFailures;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.SeenRequest;
import io.millrace.proto.SessionLog;
import io.millrace.proto.Turn;
import io.millrace.proto.TurnFailed;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.jspecify.annotations.Nullable;

/**
 * Admits requests: recognises those it knows, renders and tokenises what is new, checks limits, and places sessions.
 * Keyed by session id.
 *
 * <p>A request that is known goes on as a {@linkplain Turn#getRepeat repeat}, and a refusal as a turn that is
 * {@linkplain Turn#getRefused refused}: Decode answers them, so that all chunks of a session come from one place, in
 * order. A refused request is not remembered: it began no turn, and is refused alike when it comes again.
 *
 * <p>What remains of a session that was closed are the ids of its requests: whichever of them comes again is still a
 * repeat, and above all a close that comes again does not end the session that began since.
 */
final class SessionRouterOperator extends AbstractStreamOperator<Turn>
        implements OneInputStreamOperator<AgentRequest, Turn> {
    private static final long serialVersionUID = 1L;

    private final transient ModelText.Source texts;
    private final transient RouterSettings settings;
    private final transient PlacementPolicy placements;
    private final transient StreamRecord<Turn> record = new StreamRecord<>(Turn.getDefaultInstance());
    private transient @Nullable RouterState state;
    private transient @Nullable TurnAdmission admission;
    private transient @Nullable RouterMetrics routerMetrics;

    SessionRouterOperator(
            StreamOperatorParameters<Turn> parameters,
            ModelText.Source texts,
            RouterSettings settings,
            PlacementPolicy placements) {
        super(parameters);
        this.texts = requireNonNull(texts, "texts");
        this.settings = requireNonNull(settings, "settings");
        this.placements = requireNonNull(placements, "placements");
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        state = new RouterState(context.getKeyedStateStore(), settings.sessionTtl());
    }

    @Override
    public void open() throws Exception {
        super.open();
        admission = new TurnAdmission(texts.open(), settings);
        routerMetrics = new RouterMetrics(getMetricGroup());
    }

    @Override
    public void processElement(StreamRecord<AgentRequest> element) throws Exception {
        AgentRequest request = element.getValue();
        SessionLog log = requireNonNull(state).log();
        boolean seen = log != null && isSeen(log, request.getRequestId());
        if (request.hasCancel()) {
            // One for a turn that never began here has nothing to end.
            if (seen) {
                requireNonNull(routerMetrics).cancelled();
                emit(marker(request, requireNonNull(log)).setCancel(true).build());
            }
        } else if (seen) {
            requireNonNull(routerMetrics).deduplicated();
            emit(marker(request, requireNonNull(log))
                    .setRepeat(true)
                    .setClose(request.hasClose())
                    .build());
        } else if (request.hasResend()) {
            String message = "no turn of request " + request.getRequestId() + " is known in this session";
            refuse(request, log, TurnFailures.of(ErrorCode.TURN_NOT_FOUND, message));
        } else if (request.hasClose()) {
            close(request, log);
        } else {
            admit(request, log);
        }
    }

    private void close(AgentRequest request, @Nullable SessionLog log) throws Exception {
        Turn.Builder turn = marker(request, SessionLog.getDefaultInstance()).setClose(true);
        try {
            TurnAdmission.checkIds(request);
            turn.setPlacementHash(placement(turn.build(), log));
        } catch (RuntimeException e) {
            refuse(request, log, TurnFailures.of(e));
            return;
        }
        requireNonNull(state).putLog(remember(log, turn.build()).build());
        requireNonNull(routerMetrics).closed();
        emit(turn.build());
    }

    /** Where a turn goes: to the others of its session, if there are any. */
    private int placement(Turn turn, @Nullable SessionLog log) {
        return log == null || log.getTurnCount() == 0 ? placements.place(turn).hash() : log.getPlacementHash();
    }

    private void admit(AgentRequest request, @Nullable SessionLog log) throws Exception {
        long startNanos = System.nanoTime();
        TurnAdmission.Admitted admitted;
        int placementHash;
        try {
            admitted = requireNonNull(admission).admit(request, log);
            placementHash = placement(admitted.turn(), log);
        } catch (ServingException e) {
            refuse(request, log, TurnFailures.of(e));
            return;
        } catch (RuntimeException e) {
            LOG.error("request {} of session {} failed", request.getRequestId(), request.getSessionId(), e);
            refuse(request, log, TurnFailures.of(e));
            return;
        }
        Turn turn = admitted.turn().toBuilder().setPlacementHash(placementHash).build();
        requireNonNull(state)
                .putLog(remember(log, turn)
                        .setPromptText(admitted.promptText())
                        .addAllPromptTokenIds(turn.getPromptTokenIdsList())
                        .setTurnCount(log == null ? 1 : log.getTurnCount() + 1)
                        .build());
        requireNonNull(routerMetrics).admitted(turn.getSessionPrefixTokens(), System.nanoTime() - startNanos);
        emit(turn);
    }

    private void refuse(AgentRequest request, @Nullable SessionLog log, TurnFailed failed) {
        requireNonNull(routerMetrics).refused();
        emit(marker(request, log == null ? SessionLog.getDefaultInstance() : log)
                .setRefused(failed)
                .build());
    }

    private static Turn.Builder marker(AgentRequest request, SessionLog log) {
        return Turn.newBuilder()
                .setSessionId(request.getSessionId())
                .setRequestId(request.getRequestId())
                .setPlacementHash(log.getPlacementHash())
                .setArrivalMs(request.getArrivalMs());
    }

    private void emit(Turn turn) {
        output.collect(record.replace(turn));
    }

    private static boolean isSeen(SessionLog log, String requestId) {
        for (SeenRequest seen : log.getSeenList()) {
            if (seen.getRequestId().equals(requestId)) {
                return true;
            }
        }
        return false;
    }

    /** A log of which requests were seen, this turn's the last, and of nothing else. */
    private SessionLog.Builder remember(@Nullable SessionLog log, Turn turn) {
        long nowMs = getProcessingTimeService().getCurrentProcessingTime();
        SessionLog.Builder next = SessionLog.newBuilder()
                .setSessionId(turn.getSessionId())
                .setPlacementHash(turn.getPlacementHash())
                .setLastActiveMs(nowMs);
        if (log != null) {
            int dropped = Math.max(0, log.getSeenCount() + 1 - settings.rememberedRequests());
            long oldestMs = nowMs - settings.requestTtl().toMillis();
            for (SeenRequest seen : log.getSeenList().subList(dropped, log.getSeenCount())) {
                if (seen.getSeenMs() > oldestMs) {
                    next.addSeen(seen);
                }
            }
        }
        return next.addSeen(
                SeenRequest.newBuilder().setRequestId(turn.getRequestId()).setSeenMs(nowMs));
    }
}
