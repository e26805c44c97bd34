package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A lease as its engine keeps it: what was submitted, what steps did, and whether its outputs are taken. */
final class SequenceLease implements EngineLease, SequenceOwner {
    private static final Logger LOG = LoggerFactory.getLogger(SequenceLease.class);

    private final Engine engine;
    private final String name;
    private final StepListener listener;
    private final int maxUnacknowledgedSteps;
    /** Sequences that have not ended. */
    private final ConcurrentHashMap<String, Sequence> live = new ConcurrentHashMap<>();

    private final AtomicInteger unacknowledgedSteps = new AtomicInteger();
    /** Held while the listener is called, so that {@link #close} returns only when it is not. */
    private final Object listenerLock = new Object();

    private volatile boolean closed;

    // The engine's thread alone uses what follows.
    private final List<SequenceEvent> events = new ArrayList<>();
    private boolean open = true;
    private boolean stalled;
    private long gateClosedNanos;

    SequenceLease(Engine engine, String name, StepListener listener, int maxUnacknowledgedSteps) {
        this.engine = requireNonNull(engine, "engine");
        this.name = requireNonNull(name, "name");
        this.listener = requireNonNull(listener, "listener");
        if (maxUnacknowledgedSteps <= 0) {
            throw new IllegalArgumentException("maxUnacknowledgedSteps must be positive: " + maxUnacknowledgedSteps);
        }
        this.maxUnacknowledgedSteps = maxUnacknowledgedSteps;
    }

    @Override
    public Admission submit(SequenceRequest request) {
        return engine.submit(this, request);
    }

    @Override
    public void cancel(String sequenceId) {
        Sequence sequence = live.get(sequenceId);
        if (sequence != null) {
            engine.cancel(sequence);
        }
    }

    @Override
    public void acknowledge(StepOutput output) {
        requireNonNull(output, "output");
        unacknowledgedSteps.updateAndGet(count -> Math.max(0, count - 1));
        engine.wake();
    }

    @Override
    public int cachedPrefixTokens(int[] promptTokens, String cacheSalt) {
        return engine.cachedPrefixTokens(promptTokens, cacheSalt);
    }

    @Override
    public void hold(List<BlockHash> hashes, Consumer<HeldBlocks> receiver) {
        engine.hold(this, List.copyOf(hashes), requireNonNull(receiver, "receiver"));
    }

    @Override
    public Engine engine() {
        return engine;
    }

    @Override
    public void close() {
        synchronized (listenerLock) {
            if (closed) {
                return;
            }
            closed = true;
        }
        engine.leaseClosed(this);
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public boolean isStalled() {
        return stalled;
    }

    boolean isClosed() {
        return closed;
    }

    ConcurrentHashMap<String, Sequence> live() {
        return live;
    }

    /** Looks whether the outputs were taken. Once a step, so that a step sees one answer. Engine thread. */
    void refreshGate(long nowNanos, long stallNanos) {
        boolean wasOpen = open;
        open = !closed && unacknowledgedSteps.get() < maxUnacknowledgedSteps;
        if (wasOpen && !open) {
            gateClosedNanos = nowNanos;
        }
        stalled = !open && nowNanos - gateClosedNanos >= stallNanos;
    }

    @Override
    public void forget(Sequence sequence) {
        live.remove(sequence.request().sequenceId(), sequence);
    }

    @Override
    public void addEvent(SequenceEvent event) {
        events.add(event);
    }

    /** Hands the output of this step over, if there is any. Engine thread. */
    void deliver(long stepId) {
        if (events.isEmpty()) {
            return;
        }
        StepOutput output = new StepOutput(stepId, List.copyOf(events));
        events.clear();
        Throwable failure = call(output);
        if (failure != null) {
            // What the listener did not take is lost, and with it the order of all that would follow.
            LOG.error("The listener of lease {} failed; its sequences end", name, failure);
            close();
        }
    }

    // A listener is foreign code: whatever it throws must not end the engine's thread.
    private @Nullable Throwable call(StepOutput output) {
        synchronized (listenerLock) {
            if (closed) {
                return null;
            }
            unacknowledgedSteps.incrementAndGet();
            try {
                listener.onStep(output);
                return null;
            } catch (RuntimeException | Error e) {
                return e;
            }
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
