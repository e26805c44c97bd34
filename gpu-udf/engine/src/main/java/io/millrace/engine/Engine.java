package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.BlockHash;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.KvBlockLayout;
import io.millrace.kv.ServingException;
import io.millrace.model.ModelSpec;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One model on one device: weights, block pool, prefix index, and one thread that forms batches and runs them.
 *
 * <p>A step takes in what other threads asked for, schedules, executes the batch, samples, and hands each lease what
 * became of its sequences. Without work the thread is parked. Tests leave the thread out and call {@link #doWork}.
 */
public final class Engine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

    /** Most holds that may be asked for and not yet given. */
    private static final int PENDING_HOLDS_MAX = 1024;

    private final EngineOptions options;
    private final ModelInstance instance;
    private final AutoCloseable model;
    private final EngineCore core;

    private final EngineInbox inbox;
    private final CopyOnWriteArrayList<SequenceLease> leases = new CopyOnWriteArrayList<>();
    /** Sequences that were submitted and never scheduled yet. */
    private final AtomicInteger queuedCount = new AtomicInteger();
    /** Holds that were asked for and not yet given. */
    private final AtomicInteger pendingHolds = new AtomicInteger();
    /** Held to submit and to close, so that nothing is submitted that nobody would answer. */
    private final Object admissionLock = new Object();

    private volatile boolean closed;
    private volatile boolean wakeRequested;
    private volatile @Nullable Thread thread;
    private volatile EngineStats stats;

    // The engine's thread alone uses what follows.
    private boolean shutDown;
    private @Nullable Throwable failure;

    /**
     * An engine that steps when {@link #doWork} is called, or by itself once it is {@linkplain #start started}.
     *
     * @param instance closed with the engine
     * @param model what the instance computes with, closed after it
     */
    public Engine(EngineOptions options, ModelInstance instance, AutoCloseable model) {
        this(options, instance, model, null);
    }

    /**
     * As above, with a second model to guess with.
     *
     * @param draftModel closed with the engine; null for none
     * @throws IllegalArgumentException if it has another vocabulary
     */
    public Engine(EngineOptions options, ModelInstance instance, AutoCloseable model, @Nullable DraftModel draftModel) {
        this.options = requireNonNull(options, "options");
        this.instance = requireNonNull(instance, "instance");
        this.model = requireNonNull(model, "model");
        core = new EngineCore(options, instance, draftModel, queuedCount, this::transfer);
        inbox = new EngineInbox(core, leases::remove);
        stats = core.stats();
    }

    /**
     * Loads a model onto a device, warms it up, and starts an engine on it. Takes as long as that takes.
     *
     * @param backend initialised; see {@link io.millrace.engine.backend.Backends}
     * @param spec its model is closed with the engine, or before this throws
     * @param progress hears what is being done
     */
    public static Engine load(
            Backend backend,
            InstanceSpec spec,
            EngineOptions options,
            ThreadFactory threads,
            Consumer<String> progress) {
        return load(backend, spec, options, null, threads, progress);
    }

    /**
     * As above, with a second model to guess with.
     *
     * @param draftModel closed with the engine, or before this throws; null for none
     */
    public static Engine load(
            Backend backend,
            InstanceSpec spec,
            EngineOptions options,
            @Nullable DraftModel draftModel,
            ThreadFactory threads,
            Consumer<String> progress) {
        if (spec.maxBatchTokens() < options.maxBatchTokens()
                || spec.maxBatchSequences() < options.maxBatchSequences()
                || spec.maxLogitsRows() < options.maxLogitsRows()
                || spec.maxModelTokens() < options.maxModelTokens()) {
            throw new IllegalArgumentException("the instance is made for smaller batches than the engine: " + spec);
        }
        ModelInstance instance = null;
        try {
            instance = backend.load(spec);
            instance.warmUp(progress);
            Engine engine = new Engine(options, instance, spec.model(), draftModel);
            engine.start(threads);
            return engine;
        } catch (RuntimeException | Error e) {
            if (instance != null) {
                instance.close();
            }
            spec.model().close();
            if (draftModel != null) {
                draftModel.close();
            }
            throw e;
        }
    }

    /** Starts the engine's thread. At most once. */
    public void start(ThreadFactory threads) {
        synchronized (admissionLock) {
            if (thread != null || closed) {
                throw new IllegalStateException("the engine was started or closed before");
            }
            Thread created = requireNonNull(threads.newThread(this::run), "the thread factory's thread");
            thread = created;
            created.start();
        }
    }

    /**
     * Takes a hold on the engine.
     *
     * @param name for metrics and errors, such as {@code decode-0}
     * @param listener gets the outputs of the steps
     * @param maxUnacknowledgedSteps outputs that may be under way to the listener before its sequences wait
     * @throws ServingException {@code UNAVAILABLE} if the engine is closed
     */
    public EngineLease lease(String name, EngineLease.StepListener listener, int maxUnacknowledgedSteps) {
        SequenceLease lease = new SequenceLease(this, name, listener, maxUnacknowledgedSteps);
        synchronized (admissionLock) {
            if (closed) {
                throw new ServingException(
                        ErrorCode.UNAVAILABLE, "the engine is closed, and gives no lease to " + name);
            }
            leases.add(lease);
        }
        return lease;
    }

    /**
     * Does one step, or what there is of it. Only for engines that were not started.
     *
     * @return what was done: sequences computed and commands taken in; 0 if there is nothing to do
     */
    public int doWork() {
        if (closed) {
            return 0;
        }
        int commands = inbox.take();
        long nowNanos = options.nanoClock().getAsLong();
        for (SequenceLease lease : leases) {
            lease.refreshGate(nowNanos, options.stallTimeout().toNanos());
        }
        int sequences = core.step();
        deliver();
        if (sequences + commands > 0) {
            stats = core.stats();
        }
        return sequences + commands;
    }

    /** What the model is. */
    public ModelSpec modelSpec() {
        return instance.modelSpec();
    }

    /** How the engine runs it. */
    public EngineOptions options() {
        return options;
    }

    /** Most tokens of one sequence: the model's context, or all blocks where they hold less. */
    public int maxSequenceTokens() {
        return core.maxSequenceTokens();
    }

    /** Tokens of a KV block. */
    public int blockSizeTokens() {
        return core.blockSizeTokens();
    }

    /** How a KV block is laid out. */
    public KvBlockLayout kvLayout() {
        return instance.kvLayout();
    }

    /** Prepares memory for copies of blocks, as {@link ModelInstance#pageLock} does. Any thread. */
    public Runnable pageLock(List<ByteBuffer> memory) {
        return instance.pageLock(memory);
    }

    /**
     * What the root of each chain of block hashes is made of, besides the salt: the model's fingerprint, and the layout
     * of its blocks, so that nobody takes blocks for those of another backend, element type or format.
     */
    public String blockIdentity() {
        return core.blockIdentity();
    }

    /** Whether the device holds a full block right now: a hint, for it may change at once. Any thread. */
    public boolean hasBlock(BlockHash hash) {
        return core.hasBlock(hash);
    }

    /** Counts after the latest step. Any thread. */
    public EngineStats stats() {
        return stats;
    }

    /** Whether the engine has ended, by {@link #close} or by a defect. Any thread. */
    public boolean isClosed() {
        return closed;
    }

    /**
     * Verifies, between two steps, that every block is used by exactly the sequences that run. Any thread.
     *
     * @throws IllegalStateException naming what does not hold
     */
    public void checkIntegrity() {
        Thread current = thread;
        if (current == null || current == Thread.currentThread()) {
            core.checkIntegrity();
            return;
        }
        FutureTask<?> inspection = new FutureTask<>(core::checkIntegrity, null);
        boolean ended;
        synchronized (admissionLock) {
            ended = closed;
            if (!ended) {
                inbox.inspect(inspection);
            }
        }
        if (ended) {
            ThreadEnd.await(current);
            core.checkIntegrity();
            return;
        }
        wake();
        try {
            inspection.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for the engine", e);
        }
    }

    /** Fails the sequences that are left, ends the thread, and closes the model. */
    @Override
    public void close() {
        Thread current;
        synchronized (admissionLock) {
            closed = true;
            current = thread;
        }
        if (current == null) {
            shutDown();
            return;
        }
        wake();
        if (current != Thread.currentThread()) {
            ThreadEnd.await(current);
        }
    }

    Admission submit(SequenceLease lease, SequenceRequest request) {
        Sequence sequence = core.newSequence(request, lease);
        if (sequence == null) {
            return Admission.REJECTED_TOO_LONG;
        }
        synchronized (admissionLock) {
            if (closed || lease.isClosed()) {
                return Admission.REJECTED_CLOSED;
            }
            if (lease.live().containsKey(request.sequenceId())) {
                return Admission.REJECTED_DUPLICATE;
            }
            if (queuedCount.get() >= options.queueCapacity()) {
                return Admission.REJECTED_QUEUE_FULL;
            }
            queuedCount.incrementAndGet();
            lease.live().put(request.sequenceId(), sequence);
            inbox.submit(sequence);
        }
        wake();
        return Admission.ACCEPTED;
    }

    void cancel(Sequence sequence) {
        if (sequence.cancelled.compareAndSet(false, true)) {
            inbox.cancel(sequence);
            wake();
        }
    }

    void leaseClosed(SequenceLease lease) {
        synchronized (admissionLock) {
            inbox.leaseClosed(lease);
        }
        wake();
    }

    void hold(SequenceLease lease, List<BlockHash> hashes, Consumer<HeldBlocks> receiver) {
        boolean pending;
        synchronized (admissionLock) {
            pending = !closed && !lease.isClosed() && pendingHolds.get() < PENDING_HOLDS_MAX;
            if (pending) {
                pendingHolds.incrementAndGet();
                inbox.transfer(() -> giveHold(lease, hashes, receiver));
            }
        }
        if (pending) {
            wake();
        } else {
            receiver.accept(new PinnedBlocks(instance, List.of(), lease, hold -> {}));
        }
    }

    private void giveHold(SequenceLease lease, List<BlockHash> hashes, Consumer<HeldBlocks> receiver) {
        pendingHolds.decrementAndGet();
        boolean ended = closed || lease.isClosed();
        PinnedBlocks hold = core.holds()
                .hold(
                        ended ? List.of() : hashes,
                        lease,
                        done -> transfer(() -> core.holds().release(done)));
        try {
            receiver.accept(hold);
        } catch (RuntimeException | Error e) {
            LOG.error("Lease {} did not take the blocks that it asked for", lease, e);
            hold.close();
        }
    }

    /** Has the engine's thread do something about blocks that others copy. Any thread; not done after the end. */
    private void transfer(Runnable task) {
        inbox.transfer(task);
        wake();
    }

    int cachedPrefixTokens(int[] promptTokens, String cacheSalt) {
        return core.cachedPrefixTokens(promptTokens, cacheSalt);
    }

    /** Makes the engine's thread look for work. Any thread. */
    void wake() {
        wakeRequested = true;
        LockSupport.unpark(thread);
    }

    private void run() {
        try {
            while (!closed) {
                wakeRequested = false;
                if (doWork() == 0) {
                    park();
                }
            }
        } catch (RuntimeException | Error e) {
            LOG.error("The engine's thread failed; its sequences fail with it", e);
            failure = e;
        } finally {
            synchronized (admissionLock) {
                closed = true;
            }
            shutDown();
        }
    }

    private void park() {
        if (!wakeRequested && !closed) {
            if (core.hasSequences()) {
                // A lease that holds others back is noticed by the time that passes.
                LockSupport.parkNanos(this, options.stallTimeout().toNanos());
            } else {
                LockSupport.park(this);
            }
        }
        // Nothing here is ended by an interrupt, and with one pending the thread could not park.
        if (Thread.interrupted()) {
            LOG.warn("The engine's thread was interrupted, which it ignores: close the engine to end it");
        }
    }

    private void deliver() {
        for (SequenceLease lease : leases) {
            lease.deliver(core.stepCount());
        }
    }

    private void shutDown() {
        if (shutDown) {
            return;
        }
        shutDown = true;
        try {
            inbox.take();
            if (failure == null) {
                core.failAll(ErrorCode.UNAVAILABLE, "the engine was closed");
            } else {
                core.failAll(ErrorCode.INTERNAL, "the engine failed: " + failure);
            }
            deliver();
            core.endTransfers();
            stats = core.stats();
        } finally {
            inbox.cancelInspections();
            core.close();
            close("the model's instance", instance);
            close("the model", model);
        }
    }

    private static void close(String what, AutoCloseable part) {
        try {
            part.close();
        } catch (Exception e) {
            LOG.error("The engine could not close {}", what, e);
        }
    }
}
