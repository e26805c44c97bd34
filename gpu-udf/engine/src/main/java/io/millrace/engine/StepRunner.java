package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.ErrorCode;
import java.util.Arrays;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs what a plan says: fills the batch, executes it, samples, and says what became of each sequence. */
final class StepRunner {
    private static final Logger LOG = LoggerFactory.getLogger(StepRunner.class);

    /** Learns what a step did to a sequence. */
    interface Outcome {
        void onToken(Sequence sequence, int offset, int tokenId, long nanos);

        /** Some of a prompt that is handed over was computed, and not all. */
        void onAdvanced(Sequence sequence);

        void onPrefilled(Sequence sequence);

        void onFinished(Sequence sequence, FinishReason reason);

        void onFailed(Sequence sequence, ErrorCode code, String message);
    }

    private static final int[] NONE = {};

    private final ModelInstance instance;
    private final Scheduler scheduler;
    private final Sampler sampler;
    private final Batch batch;
    private final ForwardResult result;
    private final int[] endTokenIds;
    private final int blockSizeTokens;
    private final int maxSequenceTokens;
    private final LongSupplier nanoClock;

    private long executeNanos;
    private long sampleNanos;
    private long promptTokens;
    private long outputTokens;

    StepRunner(ModelInstance instance, Scheduler scheduler, EngineOptions options, int maxSequenceTokens) {
        this.instance = requireNonNull(instance, "instance");
        this.scheduler = requireNonNull(scheduler, "scheduler");
        int vocabSize = instance.modelSpec().vocabSize();
        sampler = new Sampler(vocabSize);
        batch = new Batch(options.maxBatchTokens(), options.maxBatchSequences());
        result = new ForwardResult(options.maxBatchSequences(), vocabSize);
        endTokenIds = options.endTokenIds().stream()
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
        blockSizeTokens = instance.kvLayout().blockSizeTokens();
        this.maxSequenceTokens = maxSequenceTokens;
        nanoClock = options.nanoClock();
    }

    long executeNanos() {
        return executeNanos;
    }

    long sampleNanos() {
        return sampleNanos;
    }

    long promptTokens() {
        return promptTokens;
    }

    long outputTokens() {
        return outputTokens;
    }

    /** Runs one step. */
    void run(StepPlan plan, Outcome outcome) {
        for (Sequence sequence : plan.completed()) {
            outcome.onPrefilled(sequence);
        }
        if (plan.rowCount() == 0) {
            return;
        }
        BatchFiller.fill(plan, batch);
        long startNanos = nanoClock.getAsLong();
        Throwable failure = execute();
        long executedNanos = nanoClock.getAsLong();
        executeNanos += executedNanos - startNanos;
        if (failure != null) {
            LOG.error("A batch of {} sequences failed", plan.rowCount(), failure);
            for (int row = 0; row < plan.rowCount(); row++) {
                outcome.onFailed(plan.sequence(row), ErrorCode.INTERNAL, "the backend failed: " + failure);
            }
            return;
        }
        int logitsIndex = 0;
        for (int row = 0; row < plan.rowCount(); row++) {
            Sequence sequence = plan.sequence(row);
            promptTokens += promptTokens(sequence, plan.tokens(row));
            if (BatchFiller.wantsLogits(sequence, sequence.computedTokens + plan.tokens(row))) {
                sample(sequence, plan.tokens(row), result.logits[logitsIndex], executedNanos, outcome);
                logitsIndex++;
            } else {
                scheduler.advance(sequence, plan.tokens(row));
                if (sequence.computedTokens == sequence.targetTokens(blockSizeTokens)) {
                    outcome.onPrefilled(sequence);
                } else if (sequence.isHandedOver()) {
                    outcome.onAdvanced(sequence);
                }
            }
        }
        sampleNanos += nanoClock.getAsLong() - executedNanos;
    }

    /** End tokens of a request, sorted: the model's, unless it ignores them, and its own. */
    int[] endTokens(SequenceRequest request) {
        int[] own = request.sampling().stopTokenIds().stream()
                .mapToInt(Integer::intValue)
                .toArray();
        int[] models = request.sampling().ignoreEos() ? NONE : endTokenIds;
        int[] all = Arrays.copyOf(models, models.length + own.length);
        System.arraycopy(own, 0, all, models.length, own.length);
        Arrays.sort(all);
        return all;
    }

    /** Why a sequence needs no further token, or null: judged by its last token and its length. */
    @Nullable
    FinishReason finishReason(Sequence sequence) {
        SamplingParameters sampling = sequence.request().sampling();
        int outputCount = sequence.outputTokens();
        if (outputCount == 0) {
            return null;
        }
        int lastToken = sequence.tokens()[sequence.tokenCount() - 1];
        if (outputCount > sampling.minTokens() && Arrays.binarySearch(sequence.endTokens, lastToken) >= 0) {
            return FinishReason.STOP_TOKEN;
        }
        if (outputCount >= sampling.maxTokens() || sequence.tokenCount() >= maxSequenceTokens) {
            return FinishReason.LENGTH;
        }
        return null;
    }

    private @Nullable Throwable execute() {
        try {
            instance.execute(batch, result);
            return null;
        } catch (RuntimeException | Error e) {
            return e;
        }
    }

    private void sample(Sequence sequence, int tokens, float[] logits, long nanos, Outcome outcome) {
        SamplingParameters sampling = sequence.request().sampling();
        int offset = sequence.outputTokens();
        int[] banned = offset < sampling.minTokens() ? sequence.endTokens : NONE;
        long[] mask = null;
        if (sequence.constraint != null) {
            try {
                mask = sequence.constraint.allowed();
            } catch (RuntimeException e) {
                failConstraint(sequence, "failed: " + e, e, outcome);
                return;
            }
            if (!TokenMask.allowsAny(mask, logits.length)) {
                failConstraint(sequence, "allows no token", null, outcome);
                return;
            }
        }
        int tokenId = sampler.sample(logits, sampling, offset, sequence.counts(), banned, mask);
        if (tokenId == Sampler.NO_TOKEN) {
            // What led here may be in its blocks: nobody else may find them.
            sequence.table().withdrawAll();
            outcome.onFailed(
                    sequence,
                    ErrorCode.INTERNAL,
                    "the model gave no finite logits for token " + offset + " of the output");
            return;
        }
        scheduler.advance(sequence, tokens);
        sequence.append(tokenId);
        outputTokens++;
        outcome.onToken(sequence, offset, tokenId, nanos);
        finish(sequence, tokenId, outcome);
    }

    private void finish(Sequence sequence, int tokenId, Outcome outcome) {
        FinishReason reason = finishReason(sequence);
        if (reason != FinishReason.STOP_TOKEN) {
            try {
                boolean met = sequence.request().stopCondition().accept(tokenId);
                if (met
                        && sequence.outputTokens()
                                >= sequence.request().sampling().minTokens()) {
                    reason = FinishReason.STOP_CONDITION;
                }
            } catch (RuntimeException e) {
                LOG.error("The stop condition of sequence {} failed", sequence, e);
                outcome.onFailed(sequence, ErrorCode.INTERNAL, "the stop condition failed: " + e);
                return;
            }
        }
        if (reason != null) {
            outcome.onFinished(sequence, reason);
        } else {
            advanceConstraint(sequence, tokenId, outcome);
        }
    }

    private static void advanceConstraint(Sequence sequence, int tokenId, Outcome outcome) {
        Constraint state = sequence.constraint;
        if (state == null) {
            return;
        }
        try {
            sequence.constraint = state.after(tokenId);
        } catch (RuntimeException e) {
            failConstraint(sequence, "failed: " + e, e, outcome);
            return;
        }
        if (sequence.constraint == null) {
            failConstraint(sequence, "has no way on from token " + tokenId + ", which it allowed", null, outcome);
        }
    }

    private static void failConstraint(
            Sequence sequence, String what, @Nullable RuntimeException cause, Outcome outcome) {
        LOG.error("The constraint of sequence {} {}", sequence, what, cause);
        outcome.onFailed(
                sequence,
                ErrorCode.INTERNAL,
                "at token " + sequence.outputTokens() + " of the output its constraint " + what);
    }

    private static int promptTokens(Sequence sequence, int tokens) {
        int left = sequence.request().promptTokens().length - sequence.computedTokens;
        return Math.max(0, Math.min(tokens, left));
    }
}
