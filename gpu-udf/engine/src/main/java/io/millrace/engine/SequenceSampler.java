package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.kv.BlockTable;
import io.millrace.kv.ErrorCode;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Samples a sequence's rows of a step, one after the other, each with the noise, the counts, the mask and the limits of
 * its own place in the output: as if each had been a step of its own. The row behind a guessed token is of use only if
 * that token is what was sampled; what lies behind the first that is not is given back.
 */
final class SequenceSampler {
    private static final Logger LOG = LoggerFactory.getLogger(SequenceSampler.class);
    private static final int[] NONE = {};

    private final Sampler sampler;
    private final Scheduler scheduler;
    private final Speculation speculation;
    private final StepMasks masks;
    private final Batch batch;
    private final ForwardResult result;
    private final int vocabSize;
    private final int blockSizeTokens;
    private final int maxSequenceTokens;

    private long outputTokens;

    SequenceSampler(
            int vocabSize,
            Scheduler scheduler,
            Speculation speculation,
            StepMasks masks,
            Batch batch,
            ForwardResult result,
            int blockSizeTokens,
            int maxSequenceTokens) {
        sampler = new Sampler(vocabSize);
        this.vocabSize = vocabSize;
        this.scheduler = requireNonNull(scheduler, "scheduler");
        this.speculation = requireNonNull(speculation, "speculation");
        this.masks = requireNonNull(masks, "masks");
        this.batch = requireNonNull(batch, "batch");
        this.result = requireNonNull(result, "result");
        this.blockSizeTokens = blockSizeTokens;
        this.maxSequenceTokens = maxSequenceTokens;
    }

    long outputTokens() {
        return outputTokens;
    }

    /**
     * Samples the tokens of a sequence whose tokens so far were computed, and some guessed ones behind them.
     *
     * @param tokens how many of the tokens so far the step computed
     * @param draftRows how many guessed ones
     * @param firstRow the row of logits behind the last of the tokens so far; those behind the guessed ones follow
     */
    void sample(Sequence sequence, int tokens, int draftRows, int firstRow, long nanos, StepRunner.Outcome outcome) {
        for (int i = 0; i <= draftRows; i++) {
            int tokenId = choose(sequence, firstRow + i, outcome);
            if (tokenId == Sampler.NO_TOKEN) {
                return;
            }
            scheduler.advance(sequence, i == 0 ? tokens : 1);
            int offset = sequence.outputTokens();
            sequence.append(tokenId);
            outputTokens++;
            outcome.onToken(sequence, offset, tokenId, nanos);
            boolean came = speculation.note(sequence, i, tokenId);
            finish(sequence, tokenId, outcome);
            if (sequence.state == Sequence.State.FINISHED) {
                return;
            }
            if (!came) {
                break;
            }
        }
        sequence.table().truncate(BlockTable.blocksFor(sequence.computedTokens, blockSizeTokens));
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

    /** Chooses a sequence's next token; or fails the sequence and returns {@link Sampler#NO_TOKEN}. */
    private int choose(Sequence sequence, int row, StepRunner.Outcome outcome) {
        SamplingParameters sampling = sequence.request().sampling();
        int offset = sequence.outputTokens();
        long[] mask = masks.mask(row);
        if (sequence.constraint != null) {
            RuntimeException failure = masks.failure(row);
            if (failure != null) {
                failConstraint(sequence, "failed: " + failure, failure, outcome);
                return Sampler.NO_TOKEN;
            }
            if (mask == null || !TokenMask.allowsAny(mask, vocabSize)) {
                failConstraint(sequence, "allows no token", null, outcome);
                return Sampler.NO_TOKEN;
            }
        }
        int[] banned = offset < sampling.minTokens() ? sequence.endTokens : NONE;
        // The row's logits are asked for, or its token, by what the sequence is now: see RowSampling.
        int tokenId = batch.sampling[row] == Batch.HOST
                ? sampler.sample(result.logits[row], sampling, offset, sequence.counts(), banned, mask)
                : result.tokenIds[row];
        if (tokenId == Sampler.NO_TOKEN) {
            // What led here may be in its blocks: nobody else may find them.
            sequence.table().withdrawAll();
            outcome.onFailed(
                    sequence,
                    ErrorCode.INTERNAL,
                    "the model gave no finite logits for token " + offset + " of the output");
        }
        return tokenId;
    }

    private void finish(Sequence sequence, int tokenId, StepRunner.Outcome outcome) {
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

    private static void advanceConstraint(Sequence sequence, int tokenId, StepRunner.Outcome outcome) {
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
            Sequence sequence, String what, @Nullable RuntimeException cause, StepRunner.Outcome outcome) {
        LOG.error("The constraint of sequence {} {}", sequence, what, cause);
        outcome.onFailed(
                sequence,
                ErrorCode.INTERNAL,
                "at token " + sequence.outputTokens() + " of the output its constraint " + what);
    }
}
