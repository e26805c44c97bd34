package io.millrace.engine.repository;

import java.util.List;

/** The names of Millrace's own settings in a {@code config.pbtxt}'s {@code parameters}. Values are text there. */
public final class ModelParameters {
    /** Tokens of a KV block. */
    public static final String BLOCK_SIZE_TOKENS = "block_size_tokens";
    /** KV blocks of the pool. */
    public static final String BLOCK_COUNT = "block_count";
    /** Most tokens of one step. */
    public static final String MAX_BATCH_TOKENS = "max_batch_tokens";
    /** Most tokens of one sequence, prompt and output. */
    public static final String MAX_MODEL_TOKENS = "max_model_tokens";
    /** Most sequences that wait. */
    public static final String QUEUE_CAPACITY = "queue_capacity";
    /** Compute threads of a backend that computes on the host. */
    public static final String THREAD_COUNT = "thread_count";

    /** All names there are. */
    public static final List<String> NAMES =
            List.of(BLOCK_SIZE_TOKENS, BLOCK_COUNT, MAX_BATCH_TOKENS, MAX_MODEL_TOKENS, QUEUE_CAPACITY, THREAD_COUNT);

    private ModelParameters() {}
}
