package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * One sequence for an engine to compute.
 *
 * @param sequenceId names the sequence within its lease
 * @param sessionId the session it is a turn of: blocks that two sessions use count as shared
 * @param purpose whether tokens are wanted, or only the blocks of the prompt
 * @param promptTokens the prompt; not empty
 * @param generatedTokens tokens of the output that exist already, for a turn that is resumed; usually empty
 * @param sampling how to go on
 * @param cacheSalt isolates the prefix cache; empty is shared
 * @param priority higher is more important, in seconds of arrival advance; negative counts as 0
 * @param arrivalNanos when the turn arrived, by the engine's clock; orders the waiting queue with the priority
 * @param stopCondition ends the sequence by its text
 * @param prefixSource where leading blocks may be had that the device does not hold; null where there is nothing
 * @param constraint what the output may be, as its state before the first token, not behind the generated ones; null
 *     where it may be anything. A prefill's is of no consequence
 * @param speculation whose guesses speed it up
 */
public record SequenceRequest(
        String sequenceId,
        String sessionId,
        Purpose purpose,
        int[] promptTokens,
        int[] generatedTokens,
        SamplingParameters sampling,
        String cacheSalt,
        int priority,
        long arrivalNanos,
        StopCondition stopCondition,
        @Nullable PrefixSource prefixSource,
        @Nullable Constraint constraint,
        SpeculationParameters speculation) {
    /** What a sequence is for. */
    public enum Purpose {
        /**
         * Compute the prompt's whole blocks, all but those that the last token is in, and leave them in the prefix
         * cache.
         */
        PREFILL,
        /** As {@link #PREFILL}, and say after each step how far that is: somebody copies the blocks behind it. */
        HAND_OVER,
        /** Compute the prompt and generate tokens. */
        GENERATE
    }

    public SequenceRequest {
        requireNonNull(sequenceId, "sequenceId");
        requireNonNull(sessionId, "sessionId");
        requireNonNull(purpose, "purpose");
        requireNonNull(sampling, "sampling");
        requireNonNull(cacheSalt, "cacheSalt");
        requireNonNull(stopCondition, "stopCondition");
        requireNonNull(speculation, "speculation");
        if (promptTokens.length == 0) {
            throw new IllegalArgumentException("a sequence needs at least one prompt token");
        }
    }

    /** A sequence whose output may be anything, and comes without guesses. */
    public SequenceRequest(
            String sequenceId,
            String sessionId,
            Purpose purpose,
            int[] promptTokens,
            int[] generatedTokens,
            SamplingParameters sampling,
            String cacheSalt,
            int priority,
            long arrivalNanos,
            StopCondition stopCondition,
            @Nullable PrefixSource prefixSource) {
        this(
                sequenceId,
                sessionId,
                purpose,
                promptTokens,
                generatedTokens,
                sampling,
                cacheSalt,
                priority,
                arrivalNanos,
                stopCondition,
                prefixSource,
                null,
                SpeculationParameters.OFF);
    }

    /** This request with a constraint, or without one. */
    public SequenceRequest withConstraint(@Nullable Constraint other) {
        return with(prefixSource, other, speculation);
    }

    /** This request with other guesses. */
    public SequenceRequest withSpeculation(SpeculationParameters other) {
        return with(prefixSource, constraint, other);
    }

    /** This request with another source of leading blocks, or without one. */
    public SequenceRequest withPrefixSource(@Nullable PrefixSource other) {
        return with(other, constraint, speculation);
    }

    private SequenceRequest with(
            @Nullable PrefixSource otherSource,
            @Nullable Constraint otherConstraint,
            SpeculationParameters otherSpeculation) {
        return new SequenceRequest(
                sequenceId,
                sessionId,
                purpose,
                promptTokens,
                generatedTokens,
                sampling,
                cacheSalt,
                priority,
                arrivalNanos,
                stopCondition,
                otherSource,
                otherConstraint,
                otherSpeculation);
    }
}
