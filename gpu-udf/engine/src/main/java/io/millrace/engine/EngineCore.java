package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Sequence.State;
import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.engine.speculation.DrafterKind;
import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockHasher;
import io.millrace.kv.BlockPool;
import io.millrace.kv.BlockTable;
import io.millrace.kv.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What an engine does on its one thread: blocks, sequences, steps and counts. Knows of no other thread, except where a
 * method says so; {@link Engine} is what others see.
 */
final class EngineCore {
    private final EngineOptions options;
    private final BlockPool pool;
    private final BlockHolds holds;
    private final PrefixLoads loads;
    private final PrefixBlocks prefixes;
    private final PrefillRate prefillRate = new PrefillRate();
    private final Scheduler scheduler;
    private final Speculation speculation;
    private final StepRunner runner;
    private final Outcome outcome = new Outcome();
    private final String blockIdentity;
    private final int blockSizeTokens;
    private final int maxSequenceTokens;
    private final int vocabSize;
    private final long originNanos;
    private final AtomicLong admissionNumbers = new AtomicLong();
    /** Sequences that were accepted and never scheduled yet; other threads count them up. */
    private final AtomicInteger queuedCount;

    private long stepCount;
    private long stepNanos;
    private long stepNanosMax;
    private long cachedTokens;
    private long finishedSequences;
    private long failedSequences;

    /**
     * A core without sequences.
     *
     * @param draftModel a second model to guess with, or null
     * @param engineThread has a task run between two steps; called by any thread
     */
    EngineCore(
            EngineOptions options,
            ModelInstance instance,
            @Nullable DraftModel draftModel,
            AtomicInteger queuedCount,
            Consumer<Runnable> engineThread) {
        this.options = requireNonNull(options, "options");
        this.queuedCount = requireNonNull(queuedCount, "queuedCount");
        blockIdentity = instance.kvLayout().qualify(options.modelFingerprint());
        blockSizeTokens = instance.kvLayout().blockSizeTokens();
        vocabSize = instance.modelSpec().vocabSize();
        int blockCount = instance.blockCount();
        maxSequenceTokens = (int) Math.min(options.maxModelTokens(), (long) blockCount * blockSizeTokens);
        pool = new BlockPool(blockCount, options.retention().apply(blockCount));
        holds = new BlockHolds(pool, instance);
        loads = new PrefixLoads(instance, options.maxLoads());
        prefixes = new PrefixBlocks(pool, new BlockHasher(blockSizeTokens), loads, engineThread);
        scheduler =
                new Scheduler(pool, prefixes, blockSizeTokens, options.maxBatchTokens(), options.maxBatchSequences());
        speculation = new Speculation(draftModel, pool, options, blockSizeTokens, maxSequenceTokens, vocabSize);
        runner = new StepRunner(instance, scheduler, speculation, options, maxSequenceTokens);
        originNanos = options.nanoClock().getAsLong();
    }

    /** Most tokens of one sequence: the model's context, or all blocks where they hold less. Any thread. */
    int maxSequenceTokens() {
        return maxSequenceTokens;
    }

    /** Tokens of a KV block. Any thread. */
    int blockSizeTokens() {
        return blockSizeTokens;
    }

    /** What names of blocks begin with: the model, and how its blocks are laid out. Any thread. */
    String blockIdentity() {
        return blockIdentity;
    }

    /** Makes a sequence of a request, or returns null for one that can never run here. Any thread. */
    @Nullable
    Sequence newSequence(SequenceRequest request, SequenceOwner owner) {
        RequestCheck.checkTokens(request, vocabSize);
        if (request.promptTokens().length + request.generatedTokens().length + 1 > maxSequenceTokens) {
            return null;
        }
        return new Sequence(
                request,
                owner,
                admissionNumbers.incrementAndGet(),
                originNanos,
                new BlockTable(pool, blockSizeTokens, request.sessionId()),
                new BlockHasher(blockSizeTokens).root(blockIdentity, request.cacheSalt()),
                runner.endTokens(request),
                ConstraintReplay.replay(request));
    }

    /** Prompt tokens whose blocks are findable right now. Any thread. */
    int cachedPrefixTokens(int[] promptTokens, String cacheSalt) {
        BlockHasher hasher = new BlockHasher(blockSizeTokens);
        BlockHash root = hasher.root(blockIdentity, cacheSalt);
        return pool.index().cachedPrefixTokens(hasher, root, promptTokens);
    }

    /** Whether a full block is here right now. Any thread. */
    boolean hasBlock(BlockHash hash) {
        return pool.index().find(hash) != BlockPool.NONE;
    }

    /** The blocks that leases hold. */
    BlockHolds holds() {
        return holds;
    }

    /** Takes an accepted sequence in. It may have been cancelled on its way. */
    void take(Sequence sequence) {
        if (sequence.state == State.FINISHED) {
            return;
        }
        scheduler.add(sequence);
        // A turn that is resumed may have been at its end.
        FinishReason reason = sequence.isPrefillOnly() ? null : runner.finishReason(sequence);
        if (reason != null) {
            outcome.onFinished(sequence, reason);
        }
    }

    /** Ends a sequence early, if it has not ended. */
    void cancel(Sequence sequence) {
        if (sequence.state != State.FINISHED) {
            outcome.onFinished(sequence, FinishReason.CANCELLED);
        }
    }

    /** Ends a sequence without a word, if it has not ended. */
    void remove(Sequence sequence) {
        if (sequence.state == State.FINISHED) {
            return;
        }
        if (sequence.state == State.WAITING) {
            queuedCount.decrementAndGet();
        }
        scheduler.remove(sequence);
        speculation.forget(sequence);
        sequence.owner().forget(sequence);
    }

    /** Fails every sequence. */
    void failAll(ErrorCode code, String message) {
        for (Sequence sequence : scheduler.sequences()) {
            outcome.onFailed(sequence, code, message);
        }
    }

    /** Ends what others copy from and to blocks for a lease. Its sequences have ended before. */
    void endTransfers(SequenceLease lease) {
        holds.endOf(lease);
        loads.endOf(lease);
    }

    /** Ends what others copy from and to blocks. The sequences have ended before. */
    void endTransfers() {
        holds.endAll();
        loads.endAll();
    }

    /**
     * Does one step. Owners have said for this step whether they are open, and their events wait with them afterwards.
     *
     * @return sequences that it moved on; 0 if there was nothing to do
     */
    int step() {
        long startNanos = options.nanoClock().getAsLong();
        StepPlan plan = scheduler.schedule();
        queuedCount.addAndGet(-plan.admittedCount());
        int sequences = plan.rowCount() + plan.completed().size() + plan.startedLoads();
        boolean ranBatch = plan.rowCount() > 0;
        long draftNanos = ranBatch ? draft(plan) : 0;
        int prefillTokens = plan.prefillTokens();
        int stepTokens = plan.tokenCount();
        runner.run(plan, outcome);
        if (ranBatch) {
            long nanos = options.nanoClock().getAsLong() - startNanos;
            prefillRate.add(prefillTokens, stepTokens, nanos);
            // Where nothing is prefilled, every row has its logits.
            speculation.noteStep(stepTokens, prefillTokens > 0, nanos - draftNanos);
            stepCount++;
            stepNanos += nanos;
            stepNanosMax = Math.max(stepNanosMax, nanos);
        }
        return sequences;
    }

    /** Adds guesses to a plan; returns the nanoseconds that it took. */
    private long draft(StepPlan plan) {
        long startNanos = options.nanoClock().getAsLong();
        speculation.draft(plan);
        return options.nanoClock().getAsLong() - startNanos;
    }

    /** Closes the draft model. */
    void close() {
        speculation.close();
    }

    /** Steps that ran a batch. */
    long stepCount() {
        return stepCount;
    }

    /** Whether any sequence has not ended. */
    boolean hasSequences() {
        return scheduler.runningCount() + scheduler.waitingCount() > 0;
    }

    /** Counts at this moment. */
    EngineStats stats() {
        return new EngineStats(
                scheduler.runningCount(),
                scheduler.waitingCount(),
                stepCount,
                runner.promptTokens(),
                cachedTokens,
                prefixes.loadedTokens(),
                runner.outputTokens(),
                finishedSequences,
                failedSequences,
                scheduler.preemptions(),
                stepNanos,
                runner.executeNanos(),
                runner.sampleNanos(),
                stepNanosMax,
                prefillRate.tokensPerSecond(),
                scheduler.queuedPromptTokens(),
                holds.heldBlocks(),
                pool.stats(),
                speculationStats());
    }

    private SpeculationStats speculationStats() {
        StepMasks masks = runner.masks();
        return new SpeculationStats(
                speculation.drafted(DrafterKind.CONSTRAINT),
                speculation.drafted(DrafterKind.LOOKUP),
                speculation.drafted(DrafterKind.MODEL),
                masks.maskCount(),
                masks.maskNanos(),
                masks.maskNanosMax(),
                masks.maskNanosP99(),
                masks.waitNanos());
    }

    /**
     * Verifies that every block is used by exactly the sequences that run, by loads and by holds.
     *
     * @throws IllegalStateException naming what does not hold
     */
    void checkIntegrity() {
        List<Integer> held = new ArrayList<>();
        holds.addUses(held);
        scheduler.checkIntegrity(held);
        speculation.checkIntegrity();
    }

    /** Turns what a step did into events and counts. */
    private final class Outcome implements StepRunner.Outcome {
        @Override
        public void onToken(Sequence sequence, int offset, int tokenId, long nanos) {
            sequence.owner().addEvent(new SequenceEvent.Token(sequence.request().sequenceId(), offset, tokenId, nanos));
        }

        @Override
        public void onAdvanced(Sequence sequence) {
            int tokens = sequence.publishedBlocks * blockSizeTokens;
            sequence.owner()
                    .addEvent(new SequenceEvent.Advanced(sequence.request().sequenceId(), tokens));
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
