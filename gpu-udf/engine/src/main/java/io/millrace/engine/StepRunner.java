package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.DeviceLostException;
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
    private final SequenceSampler sampler;
    private final StepMasks masks;
    private final Batch batch;
    private final ForwardResult result;
    private final int[] endTokenIds;
    private final int blockSizeTokens;
    private final LongSupplier nanoClock;

    private long executeNanos;
    private long sampleNanos;
    private long promptTokens;

    StepRunner(
            ModelInstance instance,
            Scheduler scheduler,
            Speculation speculation,
            EngineOptions options,
            int maxSequenceTokens) {
        this.instance = requireNonNull(instance, "instance");
        this.scheduler = requireNonNull(scheduler, "scheduler");
        int vocabSize = instance.modelSpec().vocabSize();
        batch = new Batch(options.maxBatchTokens(), options.maxBatchSequences(), options.maxLogitsRows());
        int hostRows = instance.samples() ? 0 : options.maxBatchSequences();
        result = new ForwardResult(hostRows, options.maxLogitsRows(), vocabSize);
        masks = new StepMasks(options.maxLogitsRows(), options.speculation().maskExecutor(), options.nanoClock());
        endTokenIds = options.endTokenIds().stream()
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
        blockSizeTokens = instance.kvLayout().blockSizeTokens();
        sampler = new SequenceSampler(
                vocabSize, scheduler, speculation, masks, batch, result, blockSizeTokens, maxSequenceTokens);
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
        return sampler.outputTokens();
    }

    StepMasks masks() {
        return masks;
    }

    /** Why a sequence needs no further token, or null: judged by its last token and its length. */
    @Nullable
    FinishReason finishReason(Sequence sequence) {
        return sampler.finishReason(sequence);
    }

    /** Runs one step. */
    void run(StepPlan plan, Outcome outcome) {
        for (Sequence sequence : plan.completed()) {
            outcome.onPrefilled(sequence);
        }
        if (plan.rowCount() == 0) {
            return;
        }
        BatchFiller.fill(plan, batch, instance.samples());
        result.reserve(batch);
        masks.begin(plan);
        long startNanos = nanoClock.getAsLong();
        Throwable failure = execute();
        long executedNanos = nanoClock.getAsLong();
        executeNanos += executedNanos - startNanos;
        masks.await();
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
                int draftRows = plan.draftRows(row);
                sampler.sample(sequence, plan.tokens(row), draftRows, logitsIndex, executedNanos, outcome);
                logitsIndex += 1 + draftRows;
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

    private @Nullable Throwable execute() {
        try {
            instance.execute(batch, result);
            return null;
        } catch (DeviceLostException e) {
            // The engine's end, which nothing of a step outlives.
            masks.await();
            throw e;
        } catch (RuntimeException | Error e) {
            return e;
        }
    }

    private static int promptTokens(Sequence sequence, int tokens) {
        int left = sequence.request().promptTokens().length - sequence.computedTokens;
        return Math.max(0, Math.min(tokens, left));
    }
}
