package io.millrace.operators;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.EngineLease;
import io.millrace.engine.SequenceEvent;
import io.millrace.kv.flink.SessionPlacement;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.mailbox.TaskMailbox;
import org.jspecify.annotations.Nullable;

/**
 * What Prefill and Decode share: turns that the engine works on, a lease of it, and a queue before it. Keyed by {@link
 * SessionPlacement}. The task thread never waits for the engine: what it did comes as mails.
 *
 * @param <I> what comes from upstream
 * @param <T> a turn under way
 * @param <O> what is sent downstream
 */
public abstract class EngineOperator<I, T extends EngineTurn, O> extends AbstractStreamOperator<O>
        implements OneInputStreamOperator<I, O>, BoundedOneInput {
    private static final long serialVersionUID = 1L;

    private final transient MailboxExecutor mailbox;
    private final transient EngineSource engines;
    private final transient Map<TurnId, T> active = new LinkedHashMap<>();
    private final transient Map<String, T> bySequence = new HashMap<>();
    private final transient StreamRecord<O> record;
    private transient @Nullable AdmissionQueue<T> admissions;
    private transient @Nullable EngineLease lease;
    private transient @Nullable TurnClock clock;
    private transient long sequenceCount;

    /** An operator that is not open yet. */
    protected EngineOperator(StreamOperatorParameters<O> parameters, EngineSource engines) {
        super(parameters);
        this.mailbox = parameters.getMailboxExecutor();
        this.engines = requireNonNull(engines, "engines");
        this.record = new StreamRecord<>(null);
    }

    @Override
    public void open() throws Exception {
        super.open();
        clock = new TurnClock(getProcessingTimeService(), System::nanoTime);
        admissions = new AdmissionQueue<>(getProcessingTimeService(), gatekeeper());
    }

    /** Lets every turn end; no checkpoint runs meanwhile. */
    @Override
    public void endInput() throws Exception {
        while (!active.isEmpty()) {
            mailbox.yield();
        }
    }

    @Override
    public void close() throws Exception {
        if (lease != null) {
            lease.close();
        }
        super.close();
    }

    /**
     * Reads no more input while something is full. Checkpoints run meanwhile, unlike in {@link MailboxExecutor#yield}
     * of the operator's own executor, which leaves the task's mails alone: an engine may be full for as long as it
     * likes. The record at hand counts as processed in them, so all of it must be in the state.
     */
    protected void waitWhile(BooleanSupplier full) throws InterruptedException {
        MailboxExecutor everything =
                getContainingTask().getMailboxExecutorFactory().createExecutor(TaskMailbox.MIN_PRIORITY);
        while (full.getAsBoolean()) {
            everything.yield();
        }
    }

    /** How turns come into the engine. */
    protected abstract AdmissionQueue.Gatekeeper<T> gatekeeper();

    /** Leases the engine under a name of this subtask. Once, when the operator opens. */
    protected EngineLease leaseEngine(String stage, EngineLease.StepListener listener, int maxUnacknowledgedSteps) {
        String name = stage + "-" + getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        EngineSource placed = engines.at(DevicePlace.of(getRuntimeContext()));
        EngineLease held = placed.lease(name, listener, maxUnacknowledgedSteps);
        lease = held;
        return held;
    }

    /**
     * Tells a sequence that failed from an engine that did.
     *
     * @throws IllegalStateException if the engine has ended, which is for the task to fail of
     */
    protected void checkEngine(SequenceEvent event) {
        if (event instanceof SequenceEvent.Failed failed && lease().engine().isClosed()) {
            throw new IllegalStateException("the engine has ended: " + failed.message());
        }
    }

    protected MailboxExecutor mailbox() {
        return mailbox;
    }

    /** Turns under way, oldest first, by what identifies them. */
    protected Map<TurnId, T> active() {
        return active;
    }

    /** The turn of a sequence, unless it is no longer the engine's. */
    protected @Nullable T bySequence(String sequenceId) {
        return bySequence.get(sequenceId);
    }

    /** A name in the engine that no sequence of this operator had. */
    protected String newSequenceId(String prefix) {
        return prefix + sequenceCount++;
    }

    /** A turn is under way. */
    protected void add(T turn) {
        active.put(TurnId.of(turn.turn()), turn);
        bySequence.put(turn.sequenceId(), turn);
    }

    /** The engine is done with a turn, and the operator is not. */
    protected void leaveEngine(T turn) {
        bySequence.remove(turn.sequenceId());
    }

    /** A turn is no longer under way; leaves its key the current one. */
    protected void remove(T turn) {
        active.remove(TurnId.of(turn.turn()));
        bySequence.remove(turn.sequenceId());
        admissions().remove(turn);
        setCurrentKey(turn.placement());
    }

    protected AdmissionQueue<T> admissions() {
        return requireNonNull(admissions, "the operator is not open");
    }

    protected EngineLease lease() {
        return requireNonNull(lease, "the operator is not open");
    }

    protected TurnClock clock() {
        return requireNonNull(clock, "the operator is not open");
    }

    /** Sends downstream. Blocks where the output is full: see {@link OutputGate}. */
    protected void emit(O value) {
        output.collect(record.replace(value));
    }

    /** The keys of a state, of this subtask. */
    protected List<SessionPlacement> keys(String stateName) {
        try (Stream<SessionPlacement> keys =
                this.<SessionPlacement>getKeyedStateBackend().getKeys(stateName, VoidNamespace.INSTANCE)) {
            return keys.toList();
        }
    }
}
