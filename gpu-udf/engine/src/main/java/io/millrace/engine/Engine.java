package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockHasher;
import io.millrace.kv.BlockPool;
import io.millrace.kv.BlockTable;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.model.ModelSpec;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
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

    private final EngineOptions options;
    private final ModelInstance instance;
    private final AutoCloseable model;
    private final BlockPool pool;
    private final Scheduler scheduler;
    private final StepRunner runner;
    private final int blockSizeTokens;
    private final int maxSequenceTokens;
    private final long originNanos;

    // Written by any thread, read by the engine's. Submissions are bounded by queuedCount, cancellations by the live
    // sequences, closed leases by the leases, and inspections by the threads that wait for them.
    private final ConcurrentLinkedQueue<Sequence> submissions = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Sequence> cancellations = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<SequenceLease> closedLeases = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<FutureTask<?>> inspections = new ConcurrentLinkedQueue<>();
    private final CopyOnWriteArrayList<SequenceLease> leases = new CopyOnWriteArrayList<>();
    /** Sequences that were submitted and never scheduled yet. */
    private final AtomicInteger queuedCount = new AtomicInteger();
    /** Held to submit and to close, so that nothing is submitted that nobody would answer. */
    private final Object admissionLock = new Object();

    private final AtomicLong admissionNumbers = new AtomicLong();
    private volatile boolean closed;
    private volatile boolean wakeRequested;
    private volatile @Nullable Thread thread;
    private volatile EngineStats stats;

    // The engine's thread alone uses what follows.
    private boolean shutDown;
    private @Nullable Throwable failure;
    private long stepCount;
    private long stepNanos;
    private long stepNanosMax;
    private long cachedTokens;
    private long finishedSequences;
    private long failedSequences;
    private final Outcome outcome = new Outcome();

    /**
     * An engine that steps when {@link #doWork} is called, or by itself once it is {@linkplain #start started}.
     *
     * @param instance closed with the engine
     * @param model what the instance computes with, closed after it
     */
    public Engine(EngineOptions options, ModelInstance instance, AutoCloseable model) {
        this.options = requireNonNull(options, "options");
        this.instance = requireNonNull(instance, "instance");
        this.model = requireNonNull(model, "model");
        blockSizeTokens = instance.kvLayout().blockSizeTokens();
        int blockCount = instance.blockCount();
        maxSequenceTokens = (int) Math.min(options.maxModelTokens(), (long) blockCount * blockSizeTokens);
        pool = new BlockPool(blockCount, options.retention().apply(blockCount));
        scheduler = new Scheduler(
                pool, new BlockHasher(blockSizeTokens), options.maxBatchTokens(), options.maxBatchSequences());
        runner = new StepRunner(instance, scheduler, options, maxSequenceTokens);
        originNanos = options.nanoClock().getAsLong();
        stats = collectStats();
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
        if (spec.maxBatchTokens() < options.maxBatchTokens()
                || spec.maxBatchSequences() < options.maxBatchSequences()
                || spec.maxModelTokens() < options.maxModelTokens()) {
            throw new IllegalArgumentException("the instance is made for smaller batches than the engine: " + spec);
        }
        ModelInstance instance = null;
        try {
            instance = backend.load(spec);
            instance.warmUp(progress);
            Engine engine = new Engine(options, instance, spec.model());
            engine.start(threads);
            return engine;
        } catch (RuntimeException | Error e) {
            if (instance != null) {
                instance.close();
            }
            spec.model().close();
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
        int commands = takeCommands();
        long startNanos = options.nanoClock().getAsLong();
        for (SequenceLease lease : leases) {
            lease.refreshGate(startNanos, options.stallTimeout().toNanos());
        }
        StepPlan plan = scheduler.schedule();
        queuedCount.addAndGet(-plan.admittedCount());
        int sequences = plan.rowCount() + plan.completed().size();
        runner.run(plan, outcome);
        deliver();
        if (plan.rowCount() > 0) {
            long nanos = options.nanoClock().getAsLong() - startNanos;
            stepCount++;
            stepNanos += nanos;
            stepNanosMax = Math.max(stepNanosMax, nanos);
        }
        if (sequences + commands > 0) {
            stats = collectStats();
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
        return maxSequenceTokens;
    }

    /** Tokens of a KV block. */
    public int blockSizeTokens() {
        return blockSizeTokens;
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
            scheduler.checkIntegrity();
            return;
        }
        FutureTask<?> inspection = new FutureTask<>(scheduler::checkIntegrity, null);
        boolean ended;
        synchronized (admissionLock) {
            ended = closed;
            if (!ended) {
                inspections.add(inspection);
            }
        }
        if (ended) {
            joinUninterruptibly(current);
            scheduler.checkIntegrity();
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
            joinUninterruptibly(current);
        }
    }

    Admission submit(SequenceLease lease, SequenceRequest request) {
        RequestCheck.checkTokens(request, instance.modelSpec().vocabSize());
        if (request.promptTokens().length + request.generatedTokens().length + 1 > maxSequenceTokens) {
            return Admission.REJECTED_TOO_LONG;
        }
        Sequence sequence = new Sequence(
                request,
                lease,
                admissionNumbers.incrementAndGet(),
                originNanos,
                new BlockTable(pool, blockSizeTokens),
                new BlockHasher(blockSizeTokens).root(options.modelFingerprint(), request.cacheSalt()),
                runner.endTokens(request));
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
            submissions.add(sequence);
        }
        wake();
        return Admission.ACCEPTED;
    }

    void cancel(Sequence sequence) {
        if (sequence.cancelled.compareAndSet(false, true)) {
            cancellations.add(sequence);
            wake();
        }
    }

    void leaseClosed(SequenceLease lease) {
        synchronized (admissionLock) {
            closedLeases.add(lease);
        }
        wake();
    }

    int cachedPrefixTokens(int[] promptTokens, String cacheSalt) {
        BlockHasher hasher = new BlockHasher(blockSizeTokens);
        BlockHash root = hasher.root(options.modelFingerprint(), cacheSalt);
        return pool.index().cachedPrefixTokens(hasher, root, promptTokens);
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
            if (scheduler.runningCount() + scheduler.waitingCount() > 0) {
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

    private int takeCommands() {
        int count = 0;
        for (Sequence sequence = submissions.poll(); sequence != null; sequence = submissions.poll()) {
            take(sequence);
            count++;
        }
        for (Sequence sequence = cancellations.poll(); sequence != null; sequence = cancellations.poll()) {
            if (sequence.state != Sequence.State.FINISHED) {
                outcome.onFinished(sequence, FinishReason.CANCELLED);
            }
            count++;
        }
        for (SequenceLease lease = closedLeases.poll(); lease != null; lease = closedLeases.poll()) {
            lease.live().values().forEach(this::remove);
            leases.remove(lease);
            count++;
        }
        for (FutureTask<?> inspection = inspections.poll(); inspection != null; inspection = inspections.poll()) {
            inspection.run();
            count++;
        }
        return count;
    }

    private void take(Sequence sequence) {
        if (sequence.state == Sequence.State.FINISHED) {
            return;
        }
        scheduler.add(sequence);
        // A turn that is resumed may have been at its end.
        FinishReason reason = sequence.isPrefillOnly() ? null : runner.finishReason(sequence);
        if (reason != null) {
            outcome.onFinished(sequence, reason);
        }
    }

    private void deliver() {
        for (SequenceLease lease : leases) {
            lease.deliver(stepCount);
        }
    }

    private void remove(Sequence sequence) {
        if (sequence.state == Sequence.State.FINISHED) {
            return;
        }
        if (sequence.state == Sequence.State.WAITING) {
            queuedCount.decrementAndGet();
        }
        scheduler.remove(sequence);
        sequence.owner().forget(sequence);
    }

    private EngineStats collectStats() {
        return new EngineStats(
                scheduler.runningCount(),
                scheduler.waitingCount(),
                stepCount,
                runner.promptTokens(),
                cachedTokens,
                runner.outputTokens(),
                finishedSequences,
                failedSequences,
                scheduler.preemptions(),
                stepNanos,
                runner.executeNanos(),
                runner.sampleNanos(),
                stepNanosMax,
                pool.stats());
    }

    private void shutDown() {
        if (shutDown) {
            return;
        }
        shutDown = true;
        try {
            takeCommands();
            for (Sequence sequence : scheduler.sequences()) {
                if (failure == null) {
                    outcome.onFailed(sequence, ErrorCode.UNAVAILABLE, "the engine was closed");
                } else {
                    outcome.onFailed(sequence, ErrorCode.INTERNAL, "the engine failed: " + failure);
                }
            }
            deliver();
            stats = collectStats();
        } finally {
            inspections.forEach(inspection -> inspection.cancel(false));
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

    private static void joinUninterruptibly(Thread ending) {
        boolean interrupted = false;
        while (ending.isAlive()) {
            try {
                ending.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Turns what a step did into events and counts. */
    private final class Outcome implements StepRunner.Outcome {
        @Override
        public void onToken(Sequence sequence, int offset, int tokenId, long nanos) {
            sequence.owner().addEvent(new SequenceEvent.Token(sequence.request().sequenceId(), offset, tokenId, nanos));
        }

        @Override
        public void onPrefilled(Sequence sequence) {
            int computed = sequence.shareableTokens(blockSizeTokens) - sequence.cachedTokens();
            end(
                    sequence,
                    new SequenceEvent.Prefilled(sequence.request().sequenceId(), sequence.cachedTokens(), computed));
        }

        @Override
        public void onFinished(Sequence sequence, FinishReason reason) {
            end(
                    sequence,
                    new SequenceEvent.Finished(
                            sequence.request().sequenceId(), reason, sequence.cachedTokens(), sequence.outputTokens()));
        }

        @Override
        public void onFailed(Sequence sequence, ErrorCode code, String message) {
            failedSequences++;
            sequence.owner()
                    .addEvent(new SequenceEvent.Failed(sequence.request().sequenceId(), code, message));
            remove(sequence);
        }

        private void end(Sequence sequence, SequenceEvent event) {
            finishedSequences++;
            cachedTokens += sequence.cachedTokens();
            sequence.owner().addEvent(event);
            remove(sequence);
        }
    }
}
