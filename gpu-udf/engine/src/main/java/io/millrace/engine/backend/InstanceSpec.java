package io.millrace.engine.backend;

import static java.util.Objects.requireNonNull;

import io.millrace.model.GgufModel;
import java.util.Map;

/**
 * What a backend needs to know to load one instance of a model.
 *
 * @param model the model's weights and spec; stays open for as long as the instance lives
 * @param pool how many KV blocks the instance has
 * @param blockSizeTokens tokens in a KV block
 * @param maxBatchTokens most tokens of one batch
 * @param maxBatchSequences most sequences of one batch
 * @param maxLogitsRows most rows of one batch whose logits are wanted: one a sequence, and one a guessed token
 * @param maxModelTokens most tokens of one sequence, prompt and output
 * @param deviceIndex which device of the backend's kind
 * @param threadCount compute threads, for backends that compute on the host
 * @param parameters settings of the backend's own, by name
 */
public record InstanceSpec(
        GgufModel model,
        KvPoolSize pool,
        int blockSizeTokens,
        int maxBatchTokens,
        int maxBatchSequences,
        int maxLogitsRows,
        int maxModelTokens,
        int deviceIndex,
        int threadCount,
        Map<String, String> parameters) {
    /** Most guessed tokens of one batch, where nothing else is said. */
    public static final int DEFAULT_DRAFT_ROWS = 64;

    public InstanceSpec {
        requireNonNull(model, "model");
        requireNonNull(pool, "pool");
        parameters = Map.copyOf(parameters);
    }

    /** An instance with room for the usual number of guessed tokens. */
    public InstanceSpec(
            GgufModel model,
            KvPoolSize pool,
            int blockSizeTokens,
            int maxBatchTokens,
            int maxBatchSequences,
            int maxModelTokens,
            int deviceIndex,
            int threadCount,
            Map<String, String> parameters) {
        this(
                model,
                pool,
                blockSizeTokens,
                maxBatchTokens,
                maxBatchSequences,
                maxBatchSequences + DEFAULT_DRAFT_ROWS,
                maxModelTokens,
                deviceIndex,
                threadCount,
                parameters);
    }

    /** An instance of so many blocks. */
    public InstanceSpec(
            GgufModel model,
            int blockCount,
            int blockSizeTokens,
            int maxBatchTokens,
            int maxBatchSequences,
            int maxModelTokens,
            int deviceIndex,
            int threadCount,
            Map<String, String> parameters) {
        this(
                model,
                KvPoolSize.blocks(blockCount),
                blockSizeTokens,
                maxBatchTokens,
                maxBatchSequences,
                maxModelTokens,
                deviceIndex,
                threadCount,
                parameters);
    }

    /** An instance of so many blocks, without settings of the backend's own. */
    public InstanceSpec(
            GgufModel model,
            int blockCount,
            int blockSizeTokens,
            int maxBatchTokens,
            int maxBatchSequences,
            int maxModelTokens,
            int deviceIndex,
            int threadCount) {
        this(
                model,
                blockCount,
                blockSizeTokens,
                maxBatchTokens,
                maxBatchSequences,
                maxModelTokens,
                deviceIndex,
                threadCount,
                Map.of());
    }
}
