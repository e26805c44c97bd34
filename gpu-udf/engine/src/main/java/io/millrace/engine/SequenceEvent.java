package io.millrace.engine;

import io.millrace.kv.ErrorCode;

/** What a step did to a sequence. */
public sealed interface SequenceEvent {
    /** The sequence it happened to. */
    String sequenceId();

    /**
     * A token was sampled.
     *
     * @param offset index of the token in the output
     * @param tokenId the token
     * @param nanos when, by the engine's clock
     */
    record Token(String sequenceId, int offset, int tokenId, long nanos) implements SequenceEvent {}

    /**
     * Leading blocks of a prompt that is to be handed over are in the prefix cache, and more are to come.
     *
     * @param tokens the prompt's tokens up to the end of the last of them
     */
    record Advanced(String sequenceId, int tokens) implements SequenceEvent {}

    /**
     * The blocks of a prompt are in the prefix cache.
     *
     * @param cachedTokens prompt tokens that were found there
     * @param computedTokens prompt tokens that were computed
     */
    record Prefilled(String sequenceId, int cachedTokens, int computedTokens) implements SequenceEvent {}

    /**
     * The sequence ended; its last token came before this, in the same step.
     *
     * @param reason why
     * @param cachedTokens prompt tokens that were found in the cache, when the sequence was first scheduled or between
     *     its prefill's chunks
     * @param outputTokens tokens of the output
     */
    record Finished(String sequenceId, FinishReason reason, int cachedTokens, int outputTokens)
            implements SequenceEvent {}

    /** The sequence failed, alone. */
    record Failed(String sequenceId, ErrorCode code, String message) implements SequenceEvent {}

    /** Why a sequence ended. */
    enum FinishReason {
        /** An end token of the model or one of the request's; it is the last token. */
        STOP_TOKEN,
        /** Its stop condition. */
        STOP_CONDITION,
        /** It reached its most tokens, or the model's context. */
        LENGTH,
        /** It was cancelled. */
        CANCELLED
    }
}
