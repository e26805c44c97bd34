package io.millrace.operators.prefill;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Admission;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.engine.StopCondition;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.AdmissionQueue;
import io.millrace.operators.EngineOperator;
import io.millrace.operators.EngineSource;
import io.millrace.operators.GatedQueue;
import io.millrace.operators.OutputGate;
import io.millrace.operators.StepInbox;
import io.millrace.operators.TokenIds;
import io.millrace.operators.TurnId;
import io.millrace.proto.Turn;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.jspecify.annotations.Nullable;

/**
 * Has the engine compute the KV blocks of long prompts, so that Decode finds them, and passes turns on. Keyed by {@link
 * SessionPlacement}. It makes Decode fast and is never needed for what Decode answers: a turn whose prompt the engine
 * will not take here passes too, and Decode says what is wrong with it.
 *
 * <p>The task thread never waits for the engine. A step is acknowledged as soon as it is seen, and a turn that is ready
 * needs no room in the engine any more; so turns that wait for output here never keep Decode's sequences from running.
 */
final class PrefillOperator extends EngineOperator<PendingTurn, Turn> {
    private static final long serialVersionUID = 1L;

    /** Steps are acknowledged at once, so few are under way. */
    private static final int UNACKNOWLEDGED_STEPS_MAX = 4;

    private final transient PrefillSettings settings;

    private transient @Nullable MapState<String, Turn> pendingState;
    private transient @Nullable GatedQueue<ReadyTurn> ready;
    private transient @Nullable PrefillMetrics prefillMetrics;

    PrefillOperator(StreamOperatorParameters<Turn> parameters, EngineSource engines, PrefillSettings settings) {
        super(parameters, engines);
        this.settings = requireNonNull(settings, "settings");
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        pendingState = context.getKeyedStateStore().getMapState(PrefillState.PENDING);
    }

    @Override
    public void open() throws Exception {
        super.open();
        prefillMetrics = new PrefillMetrics(getMetricGroup(), active()::size);
        OutputGate gate = OutputGate.of(getContainingTask().getEnvironment().getAllWriters());
        ready = new GatedQueue<>(mailbox(), gate, this::emitReady);
        leaseEngine("prefill", new StepInbox(mailbox(), this::onStep), UNACKNOWLEDGED_STEPS_MAX);
        restore();
        mailbox().execute(this::admitRestored, "admit restored turns");
    }

    @Override
    protected AdmissionQueue.Gatekeeper<PendingTurn> gatekeeper() {
        return new Gatekeeper();
    }

    @Override
    public void processElement(StreamRecord<Turn> element) throws Exception {
        Turn turn = element.getValue();
        PendingTurn known = active().get(TurnId.of(turn));
        if (turn.getClose()) {
            close(turn);
        } else if (turn.getRepeat() && known != null) {
            return; // Decode will send its chunks from the first.
        } else if (turn.getCancel() && known != null) {
            cancel(known);
        } else if (turn.hasRefused() || turn.getCancel() || turn.getRepeat() || known != null) {
            emit(turn);
        } else {
            prefillOrPass(turn);
        }
    }

    /** Ends the turns of a session here, so that Decode ends them, and then lets it end the session. */
    private void close(Turn turn) throws Exception {
        if (!turn.getRepeat()) {
            for (PendingTurn pending : List.copyOf(active().values())) {
                if (pending.turn().getSessionId().equals(turn.getSessionId())) {
                    cancel(pending);
                }
            }
        }
        emit(turn);
    }

    private void cancel(PendingTurn known) throws Exception {
        lease().cancel(known.sequenceId());
        requireNonNull(ready).removeIf(turnThatIsReady -> turnThatIsReady.pending() == known);
        end(known);
        emit(known.turn().toBuilder().setCancel(true).build());
    }

    private void prefillOrPass(Turn turn) throws Exception {
        int cachedTokens = cachedTokens(turn);
        if (passes(turn, cachedTokens)) {
            emit(turn.toBuilder().setCachedTokens(passed(turn, cachedTokens)).build());
            return;
        }
        requireNonNull(pendingState).put(turn.getRequestId(), turn);
        begin(turn, (SessionPlacement) getCurrentKey());
        admissions().pump();
        // Turns that are in the engine count too: they are what the state grows by.
        waitWhile(() -> active().size() >= settings.pendingTurnsMax());
    }

    /** Prompt tokens that the engine holds. */
    private int cachedTokens(Turn turn) {
        return lease().cachedPrefixTokens(TokenIds.prompt(turn), turn.getCacheSalt());
    }

    /**
     * Whether a turn is left to Decode. So it is if so little of its prompt is new that Decode computes it between its
     * own steps. What the session's turn before had in its prompt is not new: if the engine has it no longer, Decode's
     * tiers are likely to. Where that is as much as what is new, computing it here would cost more than it is for.
     */
    private boolean passes(Turn turn, int cachedTokens) {
        int leftTokens = leftTokens(turn, cachedTokens);
        int newTokens = turn.getPromptTokenIdsCount() - cachedTokens - leftTokens;
        return newTokens <= Math.max(settings.minUncachedTokens(), leftTokens);
    }

    /** Prompt tokens that the engine has not, but Decode's tiers are likely to: they hold whole blocks. */
    private int leftTokens(Turn turn, int cachedTokens) {
        int blockSizeTokens = lease().engine().blockSizeTokens();
        int prefixTokens = turn.getSessionPrefixTokens();
        return Math.max(0, prefixTokens - prefixTokens % blockSizeTokens - cachedTokens);
    }

    /** Counts a turn that passes; returns the cached tokens to report, -1 where Decode is to find more. */
    private int passed(Turn turn, int cachedTokens) {
        int leftTokens = leftTokens(turn, cachedTokens);
        requireNonNull(prefillMetrics).passed(turn.getPromptTokenIdsCount(), cachedTokens, leftTokens);
        return leftTokens == 0 ? cachedTokens : -1;
    }

    private void begin(Turn turn, SessionPlacement placement) {
        PendingTurn started = new PendingTurn(turn, placement, newSequenceId("p"));
        add(started);
        admissions().add(started);
    }

    /** Forgets a turn that goes on. */
    private void end(PendingTurn ended) throws Exception {
        remove(ended);
        requireNonNull(pendingState).remove(ended.turn().getRequestId());
    }

    private void onStep(StepOutput step) throws Exception {
        lease().acknowledge(step);
        for (SequenceEvent event : step.events()) {
            PendingTurn known = bySequence(event.sequenceId());
            if (known == null) {
                continue; // cancelled, or passed on already
            }
            if (event instanceof SequenceEvent.Prefilled prefilled) {
                requireNonNull(prefillMetrics)
                        .computed(
                                known.turn().getPromptTokenIdsCount(),
                                prefilled.cachedTokens(),
                                prefilled.computedTokens());
                pass(known, prefilled.cachedTokens());
            } else if (event instanceof SequenceEvent.Failed failed) {
                if (lease().engine().isClosed()) {
                    throw new IllegalStateException("the engine has ended: " + failed.message());
                }
                LOG.warn("prefill of {} failed, decode will try: {}", TurnId.of(known.turn()), failed.message());
                pass(known, 0);
            } else if (event instanceof SequenceEvent.Finished finished) {
                pass(known, finished.cachedTokens());
            }
        }
        admissions().pump();
    }

    /** A turn goes on as soon as the output has room. Until then it is still pending, and in the state. */
    private void pass(PendingTurn known, int cachedTokens) throws Exception {
        leaveEngine(known);
        requireNonNull(ready).add(new ReadyTurn(known, cachedTokens));
    }

    private void emitReady(ReadyTurn turn) throws Exception {
        end(turn.pending());
        emit(turn.pending().turn().toBuilder()
                .setCachedTokens(turn.cachedTokens())
                .build());
    }

    private void restore() throws Exception {
        List<PendingTurn> restored = new ArrayList<>();
        for (SessionPlacement placement : keys(PrefillState.PENDING.getName())) {
            setCurrentKey(placement);
            for (Turn turn : requireNonNull(pendingState).values()) {
                restored.add(new PendingTurn(turn, placement, ""));
            }
        }
        restored.sort(Comparator.comparingLong(turn -> turn.turn().getArrivalMs()));
        for (PendingTurn turn : restored) {
            begin(turn.turn(), turn.placement());
        }
    }

    /** An engine that outlived the job may have the blocks already. */
    private void admitRestored() throws Exception {
        for (PendingTurn restored : List.copyOf(active().values())) {
            int cachedTokens = cachedTokens(restored.turn());
            if (passes(restored.turn(), cachedTokens) && admissions().remove(restored)) {
                pass(restored, passed(restored.turn(), cachedTokens));
            }
        }
        admissions().pump();
    }

    /**
     * A turn that waits for room in the output.
     *
     * @param cachedTokens prompt tokens that were found in the cache; -1 where Decode is to say
     */
    private record ReadyTurn(PendingTurn pending, int cachedTokens) {}

    /** How turns come into the engine, and what becomes of those it will not take. */
    private final class Gatekeeper implements AdmissionQueue.Gatekeeper<PendingTurn> {
        @Override
        public Admission offer(PendingTurn item) {
            Turn turn = item.turn();
            return lease().submit(new SequenceRequest(
                    item.sequenceId(),
                    turn.getSessionId(),
                    SequenceRequest.Purpose.PREFILL,
                    TokenIds.prompt(turn),
                    new int[0],
                    SamplingParameters.greedy(1),
                    turn.getCacheSalt(),
                    turn.getPriority(),
                    clock().arrivalNanos(turn.getArrivalMs()),
                    StopCondition.NEVER,
                    null));
        }

        @Override
        public void refused(PendingTurn item, Admission why) throws Exception {
            pass(item, 0);
        }
    }
}
