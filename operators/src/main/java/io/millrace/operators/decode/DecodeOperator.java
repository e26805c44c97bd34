package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Admission;
import io.millrace.engine.EngineLease;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.engine.StepOutput;
import io.millrace.kv.BlockHash;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.flink.HandoverRecord;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.AdmissionQueue;
import io.millrace.operators.EngineOperator;
import io.millrace.operators.EngineSource;
import io.millrace.operators.GatedQueue;
import io.millrace.operators.ModelText;
import io.millrace.operators.OutputGate;
import io.millrace.operators.StepInbox;
import io.millrace.operators.TokenIds;
import io.millrace.operators.TurnFailures;
import io.millrace.operators.TurnId;
import io.millrace.operators.decode.coordination.DecodeControl;
import io.millrace.operators.grammar.GrammarThreads;
import io.millrace.operators.handover.BlockReceiver;
import io.millrace.operators.handover.HandoverCounters;
import io.millrace.operators.handover.HandoverMetrics;
import io.millrace.operators.tiers.OperatorTaskThread;
import io.millrace.operators.tiers.SessionTiers;
import io.millrace.operators.tiers.TierState;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.Turn;
import io.millrace.proto.TurnFailed;
import io.millrace.proto.TurnProgress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.streaming.api.operators.InternalTimerService;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.jspecify.annotations.Nullable;

/**
 * Has the engine generate the tokens of turns and sends each as a chunk. Keyed by {@link SessionPlacement}.
 *
 * <p>The task thread never waits for the engine: steps come as mails. A step whose tokens the output has no room for
 * waits unacknowledged, and so holds the engine back. Its tokens are in no checkpoint: what the state holds of a turn
 * is what was sent, so a restored turn goes on at the next token, and its chunks are those that it would have sent
 * anyhow.
 *
 * <p>What goes wrong in one turn ends that turn. Only an engine that has ended fails the task.
 */
final class DecodeOperator extends EngineOperator<HandoverRecord, ActiveTurn, TokenChunk> {
    private static final long serialVersionUID = 1L;

    private final transient ModelText.Source texts;
    private final transient DecodeSettings settings;

    private final transient DecodeControl control;
    private final transient PrefixHeads heads = new PrefixHeads();
    private final transient CancelledTurns cancelled = new CancelledTurns();
    private transient @Nullable DecodeState state;
    private transient @Nullable TierState tierState;
    private transient @Nullable SessionTiers tiers;
    private transient @Nullable BlockReceiver receiver;
    private transient @Nullable GrammarTurns grammars;
    private transient @Nullable TurnRequests requests;
    private transient @Nullable TurnRepeats repeats;
    private transient @Nullable ModelText text;
    private transient @Nullable DecodeMetrics decodeMetrics;
    private transient long restoredCheckpointId;

    DecodeOperator(
            StreamOperatorParameters<TokenChunk> parameters,
            EngineSource engines,
            ModelText.Source texts,
            DecodeSettings settings) {
        super(parameters, engines);
        this.control = DecodeControl.register(parameters);
        this.texts = requireNonNull(texts, "texts");
        this.settings = requireNonNull(settings, "settings");
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        state = new DecodeState(context.getKeyedStateStore(), settings.endedTurnTtl());
        tierState = new TierState(context.getKeyedStateStore());
        restoredCheckpointId = context.getRestoredCheckpointId().orElse(-1);
    }

    @Override
    public void open() throws Exception {
        super.open();
        ModelText words = texts.open();
        text = words;
        grammars = new GrammarTurns(words, GrammarThreads.shared(), mailbox(), new GrammarReceiver());
        OutputGate gate = OutputGate.of(getContainingTask().getEnvironment().getAllWriters());
        GatedQueue<StepOutput> steps = new GatedQueue<>(mailbox(), gate, this::handleStep);
        EngineLease held =
                leaseEngine("decode", new StepInbox(mailbox(), steps::add), settings.maxUnacknowledgedSteps());
        decodeMetrics = new DecodeMetrics(
                getMetricGroup(),
                active()::size,
                this::waitingTurns,
                () -> held.engine().stats());
        SessionTiers opened = openTiers(held);
        tiers = opened;
        HandoverCounters arrivals = new HandoverCounters();
        HandoverMetrics.registerReceiver(getMetricGroup(), arrivals);
        receiver = opened.newReceiver(arrivals);
        requests = new TurnRequests(words, clock(), opened, settings.speculation());
        repeats = new TurnRepeats(requireNonNull(state), this::newChunks);
        restore();
        mailbox().execute(admissions()::pump, "admit restored turns");
        mailbox().execute(opened::bringAhead, "bring sessions ahead");
        int subtask = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        control.serve(new TierSessions(opened, subtask, held.engine().kvLayout().blockBytes()));
    }

    private SessionTiers openTiers(EngineLease held) throws Exception {
        InternalTimerService<VoidNamespace> timers = getInternalTimerService(
                SessionTimer.NAME, VoidNamespaceSerializer.INSTANCE, new SessionTimer(this::tiers));
        return new TierOpening(
                        settings.tiers(),
                        requireNonNull(tierState),
                        new OperatorTaskThread(mailbox(), getProcessingTimeService(), this::setCurrentKey),
                        timeMs -> timers.registerProcessingTimeTimer(VoidNamespace.INSTANCE, timeMs),
                        held,
                        getKeyedStateBackend(),
                        restoredCheckpointId)
                .open(this, getOperatorConfig(), getContainingTask().getEnvironment(), getMetricGroup());
    }

    @Override
    protected AdmissionQueue.Gatekeeper<ActiveTurn> gatekeeper() {
        return new Gatekeeper();
    }

    @Override
    public void processElement(StreamRecord<HandoverRecord> element) throws Exception {
        if (element.getValue() instanceof HandoverRecord.OfTurn turn) {
            process(turn.turn());
        } else if (element.getValue() instanceof HandoverRecord.OfBlock part) {
            requireNonNull(receiver).accept(part);
        }
    }

    private void process(Turn turn) throws Exception {
        ActiveTurn known = active().get(TurnId.of(turn));
        if (turn.hasRefused()) {
            requireNonNull(decodeMetrics).failed();
            emit(TurnChunks.failed(turn, 0, turn.getRefused()));
        } else if (turn.getClose()) {
            closeSession(turn, (SessionPlacement) getCurrentKey());
        } else if (turn.getCancel()) {
            cancel(turn, known);
        } else if (turn.getRepeat() || known != null) {
            repeats().repeat(turn, known, this::emit);
        } else {
            begin(turn, (SessionPlacement) getCurrentKey());
        }
    }

    /** Writes how far each turn has come; mails between two checkpoints write nothing. */
    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        for (ActiveTurn turn : active().values()) {
            if (turn.isUnsaved()) {
                setCurrentKey(turn.placement());
                requireNonNull(state).putProgress(turn.turn().getRequestId(), turn.save());
            }
        }
        cancelled.saved(context.getCheckpointId());
        super.snapshotState(context);
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) throws Exception {
        super.notifyCheckpointComplete(checkpointId);
        for (ActiveTurn turn : cancelled.complete(checkpointId)) {
            finish(turn, FinishReason.CANCELLED, turn.turn().getCachedTokens());
        }
    }

    @Override
    public void close() throws Exception {
        // Before the lease and the state go: its threads use both.
        if (receiver != null) {
            receiver.close();
        }
        if (tiers != null) {
            tiers.close();
        }
        super.close();
    }

    private void begin(Turn turn, SessionPlacement placement) throws Exception {
        requireNonNull(state).put(turn);
        ActiveTurn taken = takeUp(turn, placement, TurnProgress.getDefaultInstance());
        if (taken == null) {
            return;
        }
        admit(taken);
        admissions().pump();
        waitWhile(() -> waitingTurns() >= settings.pendingTurnsMax());
    }

    /** Turns that the engine has not yet. */
    private int waitingTurns() {
        return admissions().size() + grammars().size();
    }

    /** Has a turn wait for the engine; if its output has a form that is new, for that first. */
    private void admit(ActiveTurn turn) {
        if (turn.turn().getCancel() || !grammars().add(turn)) {
            admissions().add(turn);
        }
    }

    /** Makes a turn an active one; null if it cannot be read and so has failed. */
    private @Nullable ActiveTurn takeUp(Turn turn, SessionPlacement placement, TurnProgress progress) throws Exception {
        ActiveTurn taken;
        try {
            taken = new ActiveTurn(turn, placement, newSequenceId("d"), newChunks(turn), progress);
        } catch (RuntimeException e) {
            LOG.error("turn {} could not be taken up", TurnId.of(turn), e);
            requireNonNull(decodeMetrics).failed();
            setCurrentKey(placement);
            requireNonNull(state).end(turn.getRequestId());
            emit(TurnChunks.failed(turn, progress.getGeneratedTokenIdsCount(), TurnFailures.of(e)));
            return null;
        }
        int[] prompt = TokenIds.prompt(turn);
        taken.attach(tiers().begin(placement, turn.getCacheSalt(), prompt, taken::generatedTokens));
        add(taken);
        return taken;
    }

    private void cancel(Turn turn, @Nullable ActiveTurn known) throws Exception {
        if (known != null && cancelled.contains(known)) {
            return;
        }
        if (known != null) {
            // In the state too: the one who cancelled need not say it again after a restore.
            requireNonNull(state).put(known.turn().toBuilder().setCancel(true).build());
            boolean waits = admissions().remove(known)
                    || heads.remove(known)
                    || grammars().remove(known);
            if (!waits) {
                lease().cancel(known.sequenceId());
            }
            if (settings.savesCancelsFirst()) {
                cancelled.add(known);
            } else if (waits) {
                finish(known, FinishReason.CANCELLED, known.turn().getCachedTokens());
            }
        } else if (turn.getPromptTokenIdsCount() > 0) {
            // Cancelled while its prompt was computed: it comes here to end.
            requireNonNull(state).put(turn);
            ActiveTurn taken = takeUp(turn, (SessionPlacement) getCurrentKey(), TurnProgress.getDefaultInstance());
            if (taken != null && settings.savesCancelsFirst()) {
                cancelled.add(taken);
            } else if (taken != null) {
                finish(taken, FinishReason.CANCELLED, 0);
            }
        }
    }

    /**
     * Ends the session's turns and drops all that is known of it. One that comes again was done: what is known now is
     * of a session that began since.
     */
    private void closeSession(Turn turn, SessionPlacement placement) throws Exception {
        if (turn.getRepeat()) {
            emit(TurnChunks.closed(turn));
            return;
        }
        for (ActiveTurn running : List.copyOf(active().values())) {
            if (running.placement().equals(placement)) {
                lease().cancel(running.sequenceId());
                finish(running, FinishReason.CANCELLED, running.turn().getCachedTokens());
            }
        }
        setCurrentKey(placement);
        requireNonNull(state).clear();
        tiers().drop(placement);
        emit(TurnChunks.closed(turn));
    }

    private TurnChunks newChunks(Turn turn) {
        return new TurnChunks(turn, requireNonNull(text).newTurnText(turn));
    }

    private void handleStep(StepOutput step) throws Exception {
        for (SequenceEvent event : step.events()) {
            ActiveTurn turn = bySequence(event.sequenceId());
            if (turn != null && cancelled.contains(turn)) {
                checkEngine(event);
            } else if (turn != null) {
                handleEvent(turn, event);
            } else {
                endHead(event);
            }
        }
        lease().acknowledge(step);
        admissions().pump();
    }

    private void handleEvent(ActiveTurn turn, SequenceEvent event) throws Exception {
        if (event instanceof SequenceEvent.Token token) {
            token(turn, token);
        } else if (event instanceof SequenceEvent.Finished finished) {
            int cachedTokens = turn.turn().getCachedTokens();
            finish(turn, finished.reason(), cachedTokens >= 0 ? cachedTokens : finished.cachedTokens());
        } else if (event instanceof SequenceEvent.Failed failed) {
            checkEngine(event);
            fail(turn, TurnFailures.of(failed.code(), failed.message()));
        }
    }

    private void token(ActiveTurn turn, SequenceEvent.Token token) throws Exception {
        TokenChunk chunk;
        try {
            if (token.offset() != turn.tokenCount()) {
                throw new IllegalStateException(
                        "token " + token.offset() + " came where " + turn.tokenCount() + " was due");
            }
            long sinceLastNanos = token.nanos() - turn.lastTokenNanos();
            boolean resumed = turn.lastTokenNanos() == 0;
            chunk = turn.token(token.tokenId(), token.nanos(), clock().nowMs());
            measure(turn, resumed, sinceLastNanos);
            if (turn.blocks().isSaveDue(turn.tokenCount())) {
                tiers().progressed(turn.blocks(), turn.generatedTokens());
            }
        } catch (RuntimeException e) {
            LOG.error("turn {} failed", TurnId.of(turn.turn()), e);
            lease().cancel(turn.sequenceId());
            fail(turn, TurnFailures.of(e));
            return;
        }
        emit(chunk);
    }

    private void measure(ActiveTurn turn, boolean first, long sinceLastNanos) {
        if (!first) {
            requireNonNull(decodeMetrics).nextToken(sinceLastNanos);
        } else if (turn.tokenCount() == 1) {
            requireNonNull(decodeMetrics).firstToken(turn.ttftNanos());
        } else {
            requireNonNull(decodeMetrics).resumedToken();
        }
    }

    private void finish(ActiveTurn turn, FinishReason reason, int cachedTokens) throws Exception {
        TokenChunk chunk;
        try {
            chunk = turn.finished(reason, Math.max(0, cachedTokens), stopToken(turn, reason));
        } catch (RuntimeException e) {
            LOG.error("turn {} failed at its end", TurnId.of(turn.turn()), e);
            fail(turn, TurnFailures.of(e));
            return;
        }
        end(turn);
        requireNonNull(state).putEnded(turn.ended());
        long ageMs = Math.max(0, clock().nowMs() - turn.turn().getArrivalMs());
        requireNonNull(decodeMetrics)
                .finished(turn.turn().getPromptTokenIdsCount(), TimeUnit.MILLISECONDS.toNanos(ageMs));
        emit(chunk);
    }

    private String stopToken(ActiveTurn turn, FinishReason reason) {
        if (reason != FinishReason.STOP_TOKEN) {
            return "";
        }
        int[] tokens = turn.generatedTokens();
        return requireNonNull(text).tokenText(tokens[tokens.length - 1]);
    }

    private void fail(ActiveTurn turn, TurnFailed failed) throws Exception {
        TokenChunk chunk = turn.failed(failed);
        end(turn);
        requireNonNull(state).putEnded(turn.ended());
        requireNonNull(decodeMetrics).failed();
        emit(chunk);
    }

    /** Forgets a turn; leaves its key the current one. */
    private void end(ActiveTurn turn) throws Exception {
        remove(turn);
        heads.remove(turn);
        grammars().remove(turn);
        cancelled.remove(turn);
        setCurrentKey(turn.placement());
        requireNonNull(state).end(turn.turn().getRequestId());
        tiers().ended(turn.blocks(), turn.generatedTokens());
    }

    private GrammarTurns grammars() {
        return requireNonNull(grammars, "the operator is not open");
    }

    private TurnRepeats repeats() {
        return requireNonNull(repeats, "the operator is not open");
    }

    private SessionTiers tiers() {
        return requireNonNull(tiers, "the operator is not open");
    }

    private void restore() throws Exception {
        tiers().restore(keys(TierState.SESSION_RECORD.getName()));
        List<RestoredTurn> restored = new ArrayList<>();
        for (SessionPlacement placement : keys(DecodeState.TURNS.getName())) {
            setCurrentKey(placement);
            for (Turn turn : requireNonNull(state).turns()) {
                TurnProgress progress = requireNonNull(state).progress(turn.getRequestId());
                restored.add(new RestoredTurn(turn, placement, progress));
            }
        }
        restored.sort(Comparator.comparingLong(turn -> turn.turn().getArrivalMs()));
        for (RestoredTurn turn : restored) {
            ActiveTurn taken = takeUp(turn.turn(), turn.placement(), turn.progress());
            if (taken != null) {
                admit(taken);
            }
        }
        tiers().countRestored(restored.size());
        if (!restored.isEmpty()) {
            LOG.info("{} unfinished turns were restored", restored.size());
        }
    }

    private record RestoredTurn(Turn turn, SessionPlacement placement, TurnProgress progress) {}

    /** Has the engine compute the head of a turn's chain, if that lets it load the rest; null if it does not. */
    private @Nullable Admission offerHead(ActiveTurn item) throws Exception {
        int blocks = item.isHeadAsked() ? 0 : tiers().headBlocks(item.blocks());
        if (blocks == 0) {
            return null;
        }
        BlockHash lastBlock = item.blocks().block(blocks - 1);
        Admission admission = Admission.ACCEPTED;
        if (!heads.join(lastBlock, item)) {
            String sequenceId = newSequenceId("h");
            int tokens = blocks * lease().engine().blockSizeTokens() + 1;
            admission = lease().submit(requireNonNull(requests).head(item, sequenceId, tokens));
            if (admission == Admission.ACCEPTED) {
                heads.add(lastBlock, sequenceId, item);
                tiers().countHead();
            }
        }
        if (admission == Admission.ACCEPTED) {
            item.askHead();
        }
        return admission == Admission.ACCEPTED || admission == Admission.REJECTED_QUEUE_FULL ? admission : null;
    }

    /** A head ended, however it did: the turns that waited for it go on. */
    private void endHead(SequenceEvent event) {
        List<ActiveTurn> waited = heads.ended(event.sequenceId());
        if (waited == null) {
            return;
        }
        checkEngine(event);
        waited.forEach(admissions()::add);
    }

    /** What becomes of turns whose grammars are there. */
    private final class GrammarReceiver implements GrammarTurns.Receiver {
        @Override
        public void ready(ActiveTurn turn) {
            admissions().add(turn);
            mailbox().execute(admissions()::pump, "admit a turn with its grammar");
        }

        @Override
        public void failed(ActiveTurn turn, RuntimeException why) throws Exception {
            LOG.info("the output that turn {} demands is not supported: {}", TurnId.of(turn.turn()), why.getMessage());
            fail(turn, TurnFailures.of(why));
        }
    }

    /** How turns come into the engine, and what becomes of those it will not take. */
    private final class Gatekeeper implements AdmissionQueue.Gatekeeper<ActiveTurn> {
        @Override
        public Admission offer(ActiveTurn item) throws Exception {
            if (item.turn().getCancel()) {
                finish(item, FinishReason.CANCELLED, item.turn().getCachedTokens());
                return Admission.ACCEPTED;
            }
            try {
                Admission head = offerHead(item);
                return head == null ? lease().submit(requireNonNull(requests).turn(item)) : head;
            } catch (RuntimeException e) {
                LOG.error("turn {} cannot be offered to the engine", TurnId.of(item.turn()), e);
                fail(item, TurnFailures.of(e));
                return Admission.ACCEPTED;
            }
        }

        @Override
        public void refused(ActiveTurn item, Admission why) throws Exception {
            TurnFailed failed = why == Admission.REJECTED_TOO_LONG
                    ? TurnFailures.of(
                            ErrorCode.OUT_OF_BLOCKS,
                            "a prompt of " + item.turn().getPromptTokenIdsCount()
                                    + " tokens can never fit the engine's KV blocks or its context")
                    : TurnFailures.of(ErrorCode.INTERNAL, "the engine refused the turn: " + why);
            fail(item, failed);
        }
    }
}
