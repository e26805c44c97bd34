package io.millrace.operators.model;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import java.io.Serializable;
import java.time.Duration;
import java.util.Map;

/**
 * Which model is served, and how its engine runs. Operators with equal settings share an engine.
 *
 * @param modelName the name that clients call it by
 * @param modelFile its file, absolute
 * @param backend the backend's name
 * @param backendParameters settings of the backend's own, by name
 * @param deviceIndex which device of the backend's kind
 * @param threadCount compute threads; 0 is one a processor
 * @param blockSizeTokens tokens of a KV block
 * @param blockCount KV blocks; 0 is as many as {@code kvMemoryBytes} hold
 * @param kvMemoryBytes memory of the KV blocks
 * @param maxBatchTokens most tokens of a step
 * @param prefillBatchTokens most tokens of a step of an engine that only prefills
 * @param maxBatchSequences most sequences of a step
 * @param queueCapacity most waiting sequences
 * @param maxModelTokens most tokens of a turn; 0 is the model's context
 * @param draftModelFile file of a smaller model of the same vocabulary that drafts tokens, absolute; empty for none
 * @param draftKvMemoryBytes memory of that model's KV blocks
 * @param linger how long the engine stays when nobody leases it
 */
public record ModelSettings(
        String modelName,
        String modelFile,
        String backend,
        Map<String, String> backendParameters,
        int deviceIndex,
        int threadCount,
        int blockSizeTokens,
        int blockCount,
        long kvMemoryBytes,
        int maxBatchTokens,
        int prefillBatchTokens,
        int maxBatchSequences,
        int queueCapacity,
        int maxModelTokens,
        String draftModelFile,
        long draftKvMemoryBytes,
        Duration linger)
        implements Serializable {
    /** KV is held as 32-bit floats. */
    private static final int BYTES_PER_ELEMENT = Float.BYTES;

    public ModelSettings {
        requireNonNull(modelName, "modelName");
        requireNonNull(modelFile, "modelFile");
        requireNonNull(backend, "backend");
        backendParameters = Map.copyOf(backendParameters);
        requireNonNull(draftModelFile, "draftModelFile");
        requireNonNull(linger, "linger");
        check(deviceIndex >= 0, "deviceIndex", deviceIndex);
        check(threadCount >= 0, "threadCount", threadCount);
        check(blockSizeTokens > 0, "blockSizeTokens", blockSizeTokens);
        check(blockCount >= 0, "blockCount", blockCount);
        check(blockCount > 0 || kvMemoryBytes > 0, "kvMemoryBytes", kvMemoryBytes);
        check(maxBatchTokens > 0, "maxBatchTokens", maxBatchTokens);
        check(prefillBatchTokens > 0, "prefillBatchTokens", prefillBatchTokens);
        check(maxBatchSequences > 0, "maxBatchSequences", maxBatchSequences);
        check(queueCapacity > 0, "queueCapacity", queueCapacity);
        check(maxModelTokens >= 0, "maxModelTokens", maxModelTokens);
        check(draftModelFile.isEmpty() || draftKvMemoryBytes > 0, "draftKvMemoryBytes", draftKvMemoryBytes);
    }

    /** The number of KV blocks for a model. At least one, however little the memory. */
    public int resolvedBlockCount(ModelSpec spec) {
        return blockCount > 0 ? blockCount : blockCount(spec, kvMemoryBytes);
    }

    /** The number of KV blocks for the model that drafts tokens. */
    int draftBlockCount(ModelSpec spec) {
        return blockCount(spec, draftKvMemoryBytes);
    }

    private int blockCount(ModelSpec spec, long memoryBytes) {
        long blockBytes = (long) BYTES_PER_ELEMENT
                * new KvBlockLayout(spec.layerCount(), spec.kvHeadCount(), spec.headDim(), blockSizeTokens)
                        .blockElements();
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE / blockSizeTokens, memoryBytes / blockBytes));
    }

    /** Most tokens of one sequence of a model: what was asked for, but no more than its context. */
    public int resolvedMaxModelTokens(ModelSpec spec) {
        return maxModelTokens == 0 ? spec.contextLength() : Math.min(maxModelTokens, spec.contextLength());
    }

    /** Most tokens of a turn of a model: its context, or all KV blocks where they hold less. */
    public int maxTurnTokens(ModelSpec spec) {
        return (int) Math.min(resolvedMaxModelTokens(spec), (long) resolvedBlockCount(spec) * blockSizeTokens);
    }

    /** Compute threads, resolved. */
    public int resolvedThreadCount() {
        return threadCount > 0 ? threadCount : Runtime.getRuntime().availableProcessors();
    }

    private static void check(boolean holds, String name, long value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is out of its range: " + value);
        }
    }
}
