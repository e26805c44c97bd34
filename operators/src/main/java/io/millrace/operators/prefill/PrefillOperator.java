package io.millrace.operators.prefill;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Admission;
import io.millrace.engine.EngineLease;
import io.millrace.engine.HeldBlocks;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.engine.StopCondition;
import io.millrace.kv.flink.HandoverRecord;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.AdmissionQueue;
import io.millrace.operators.EngineOperator;
import io.millrace.operators.EngineSource;
import io.millrace.operators.GatedQueue;
import io.millrace.operators.OutputGate;
import io.millrace.operators.TokenIds;
import io.millrace.operators.TurnId;
import io.millrace.operators.tiers.OperatorTaskThread;
import io.millrace.operators.tiers.TaskThread;
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
final class PrefillOperator extends EngineOperator<Turn, PendingTurn, HandoverRecord> {
    private static final long serialVersionUID = 1L;

    /** Steps are acknowledged at once, so few are under way. */
    private static final int UNACKNOWLEDGED_STEPS_MAX = 4;

    private final transient PrefillSettings settings;
    private final transient PassChoice choice;

    private transient @Nullable MapState<String, Turn> pendingState;
    private transient @Nullable GatedQueue<Emission> ready;
    private transient @Nullable Handover handover;
    private transient @Nullable PrefillMetrics prefillMetrics;

    PrefillOperator(
            StreamOperatorParameters<HandoverRecord> parameters, EngineSource engines, PrefillSettings settings) {
        super(parameters, engines);
        this.settings = requireNonNull(settings, "settings");
        this.choice =
                new PassChoice(settings.minUncachedTokens(), settings.handover().enabled());
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
        ready = new GatedQueue<>(mailbox(), gate, Emission::emit);
        HoldingInbox steps = new HoldingInbox(mailbox(), this::onStep);
        EngineLease held = leaseEngine("prefill", steps, UNACKNOWLEDGED_STEPS_MAX);
        steps.attach(held);
        handover = settings.handover().enabled() ? openHandover(held, steps) : new SharedEngine(held);
        restore();
        mailbox().execute(this::admitRestored, "admit restored turns");
    }

    private Handover openHandover(EngineLease held, HoldingInbox steps) {
        return new HandoverOpening(
                        settings.handover(),
                        held,
                        steps,
                        getContainingTask().getEnvironment(),
                        new OperatorTaskThread(mailbox(), getProcessingTimeService(), this::setCurrentKey),
                        (part, sent) -> requireNonNull(ready).add(new Part(part, sent)),
                        getMetricGroup(),
                        PrefillOperator::newThread)
                .open();
    }

    private static Thread newThread(Runnable run) {
        Thread thread = new Thread(run, "millrace-prefill-copies");
        thread.setDaemon(true);
        return thread;
    }

    @Override
    public void close() throws Exception {
        // Before the lease goes: its thread uses it.
        if (handover != null) {
            handover.close();
        }
        super.close();
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
            emitTurn(turn);
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
        emitTurn(turn);
    }

    private void cancel(PendingTurn known) throws Exception {
        lease().cancel(known.sequenceId());
        handover().drop(known);
        requireNonNull(ready).removeIf(emission -> emission instanceof Ready turn && turn.pending() == known);
        end(known);
        emitTurn(known.turn().toBuilder().setCancel(true).build());
    }

    private void prefillOrPass(Turn turn) throws Exception {
        SessionPlacement placement = (SessionPlacement) getCurrentKey();
        int cachedTokens = cachedTokens(turn);
        PassChoice.Work work = handover().work(turn, placement, cachedTokens);
        if (choice.passes(work)) {
            handover().passed(placement, work);
            emitTurn(turn.toBuilder()
                    .setCachedTokens(passed(turn, cachedTokens, work))
                    .build());
            return;
        }
        requireNonNull(pendingState).put(turn.getRequestId(), turn);
        begin(turn, placement, cachedTokens);
        admissions().pump();
        // Turns that are in the engine count too: they are what the state grows by.
        waitWhile(() -> active().size() >= settings.pendingTurnsMax());
    }

    /** Prompt tokens that the engine holds. */
    private int cachedTokens(Turn turn) {
        return lease().cachedPrefixTokens(TokenIds.prompt(turn), turn.getCacheSalt());
    }

    /** Counts a turn that passes; returns the cached tokens to report, -1 where Decode is to say. */
    private int passed(Turn turn, int cachedTokens, PassChoice.Work work) {
        int leftTokens = Math.max(0, work.prefillTokens() - work.decodeTokens());
        requireNonNull(prefillMetrics).passed(turn.getPromptTokenIdsCount(), cachedTokens, leftTokens);
        return leftTokens == 0 && !settings.handover().enabled() ? cachedTokens : -1;
    }

    private void begin(Turn turn, SessionPlacement placement, int cachedTokens) throws Exception {
        PendingTurn started = new PendingTurn(turn, placement, newSequenceId("p"));
        add(started);
        admissions().add(started);
        handover().begin(started, cachedTokens);
    }

    /** Forgets a turn that goes on. */
    private void end(PendingTurn ended) throws Exception {
        remove(ended);
        requireNonNull(pendingState).remove(ended.turn().getRequestId());
    }

    private void onStep(StepOutput step, @Nullable HeldBlocks held) throws Exception {
        handover().onStep(held, () -> {
            for (SequenceEvent event : step.events()) {
                PendingTurn known = bySequence(event.sequenceId());
                if (known != null) {
                    onEvent(known, event); // the others are cancelled, or passed on already
                }
            }
        });
        handover().acknowledge(step);
        admissions().pump();
    }

    private void onEvent(PendingTurn known, SequenceEvent event) throws Exception {
        if (event instanceof SequenceEvent.Advanced advanced) {
            handover().advanced(known, advanced.tokens());
        } else if (event instanceof SequenceEvent.Prefilled prefilled) {
            requireNonNull(prefillMetrics)
                    .computed(
                            known.turn().getPromptTokenIdsCount(),
                            prefilled.cachedTokens(),
                            prefilled.computedTokens());
            leaveEngine(known);
            handover().finish(known, () -> ready(known, prefilled.cachedTokens()));
        } else if (event instanceof SequenceEvent.Failed failed) {
            checkEngine(event);
            LOG.warn("prefill of {} failed, decode will try: {}", TurnId.of(known.turn()), failed.message());
            giveUp(known, 0);
        } else if (event instanceof SequenceEvent.Finished finished) {
            giveUp(known, finished.cachedTokens());
        }
    }

    /** The turn goes on without what is missing of its blocks. */
    private void giveUp(PendingTurn known, int cachedTokens) throws Exception {
        leaveEngine(known);
        handover().drop(known);
        ready(known, cachedTokens);
    }

    /** A turn goes on as soon as the output has room. Until then it is still pending, and in the state. */
    private void ready(PendingTurn known, int cachedTokens) throws Exception {
        requireNonNull(ready).add(new Ready(known, cachedTokens));
    }

    private void emitTurn(Turn turn) {
        emit(new HandoverRecord.OfTurn(turn));
    }

    private Handover handover() {
        return requireNonNull(handover, "the operator is not open");
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
            begin(turn.turn(), turn.placement(), 0);
        }
    }

    /** An engine that outlived the job may have the blocks already. */
    private void admitRestored() throws Exception {
        for (PendingTurn restored : List.copyOf(active().values())) {
            int cachedTokens = cachedTokens(restored.turn());
            PassChoice.Work work = handover().work(restored.turn(), restored.placement(), cachedTokens);
            if (choice.passes(work) && admissions().remove(restored)) {
                handover().passed(restored.placement(), work);
                giveUp(restored, passed(restored.turn(), cachedTokens, work));
            }
        }
        admissions().pump();
    }

    /** What waits for room in the output. */
    private interface Emission {
        void emit() throws Exception;
    }

    /**
     * A turn that waits.
     *
     * @param cachedTokens prompt tokens that were found in the cache; -1 where Decode is to say
     */
    private final class Ready implements Emission {
        private final PendingTurn pending;
        private final int cachedTokens;

        Ready(PendingTurn pending, int cachedTokens) {
            this.pending = pending;
            this.cachedTokens = cachedTokens;
        }

        PendingTurn pending() {
            return pending;
        }

        @Override
        public void emit() throws Exception {
            end(pending);
            emitTurn(pending.turn().toBuilder().setCachedTokens(cachedTokens).build());
        }
    }

    /** A part of a block that waits. */
    private final class Part implements Emission {
        private final HandoverRecord part;
        private final TaskThread.Mail sent;

        Part(HandoverRecord part, TaskThread.Mail sent) {
            this.part = part;
            this.sent = sent;
        }

        @Override
        public void emit() throws Exception {
            PrefillOperator.this.emit(part);
            sent.run();
        }
    }

    /** How turns come into the engine, and what becomes of those it will not take. */
    private final class Gatekeeper implements AdmissionQueue.Gatekeeper<PendingTurn> {
        @Override
        public Admission offer(PendingTurn item) {
            Turn turn = item.turn();
            return lease().submit(new SequenceRequest(
                    item.sequenceId(),
                    turn.getSessionId(),
                    handover().purpose(),
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
            giveUp(item, 0);
        }
    }
}
