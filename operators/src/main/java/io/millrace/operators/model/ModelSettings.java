package io.millrace.operators.model;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Backends;
import io.millrace.engine.backend.KvPoolSize;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.KvBlockLayout;
import io.millrace.kv.KvElementType;
import io.millrace.kv.ServingException;
import io.millrace.model.ModelSpec;
import java.io.Serializable;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which model is served, and how its engine runs. Operators with equal settings share an engine.
 *
 * @param modelName the name that clients call it by
 * @param modelFile its file, absolute
 * @param backend the backend's name, or {@link Backends#AUTO}
 * @param backendParameters settings of the backend's own, by name; where the backend is chosen by itself, those of
 *     each, by its name, a dot, and theirs
 * @param deviceIndex which device of the backend's kind; {@link #ANY_DEVICE} leaves it to where the operator runs
 * @param threadCount compute threads; 0 is one a processor
 * @param blockSizeTokens tokens of a KV block
 * @param pool how many KV blocks there are
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
        KvPoolSize pool,
        int maxBatchTokens,
        int prefillBatchTokens,
        int maxBatchSequences,
        int queueCapacity,
        int maxModelTokens,
        String draftModelFile,
        long draftKvMemoryBytes,
        Duration linger)
        implements Serializable {
    /** The device that follows from the subtask's place. */
    public static final int ANY_DEVICE = -1;

    /** Backends whose blocks are known without asking them: 32-bit floats in the host's memory. */
    private static final Set<String> HOST_BACKENDS = Set.of(Backends.HOST, "sim");

    public ModelSettings {
        requireNonNull(modelName, "modelName");
        requireNonNull(modelFile, "modelFile");
        requireNonNull(backend, "backend");
        backendParameters = Map.copyOf(backendParameters);
        requireNonNull(draftModelFile, "draftModelFile");
        requireNonNull(linger, "linger");
        requireNonNull(pool, "pool");
        check(deviceIndex >= ANY_DEVICE, "deviceIndex", deviceIndex);
        check(threadCount >= 0, "threadCount", threadCount);
        check(blockSizeTokens > 0, "blockSizeTokens", blockSizeTokens);
        check(maxBatchTokens > 0, "maxBatchTokens", maxBatchTokens);
        check(prefillBatchTokens > 0, "prefillBatchTokens", prefillBatchTokens);
        check(maxBatchSequences > 0, "maxBatchSequences", maxBatchSequences);
        check(queueCapacity > 0, "queueCapacity", queueCapacity);
        check(maxModelTokens >= 0, "maxModelTokens", maxModelTokens);
        check(draftModelFile.isEmpty() || draftKvMemoryBytes > 0, "draftKvMemoryBytes", draftKvMemoryBytes);
    }

    /**
     * The parameters of a backend.
     *
     * @param name the backend that is used
     * @throws ServingException {@code INVALID_REQUEST} if it was chosen by itself, and a parameter names no backend
     */
    public Map<String, String> parametersOf(String name) {
        if (!backend.equals(Backends.AUTO)) {
            return backendParameters;
        }
        Map<String, String> own = new TreeMap<>();
        backendParameters.forEach((key, value) -> {
            int dot = key.indexOf('.');
            if (dot <= 0) {
                throw new ServingException(
                        ErrorCode.INVALID_REQUEST,
                        "parameter " + key + " names no backend, as it must where that is " + Backends.AUTO + ": "
                                + Backends.DEVICE + "." + key + ", for example");
            }
            if (key.substring(0, dot).equals(name)) {
                own.put(key.substring(dot + 1), value);
            }
        });
        return own;
    }

    /** Most tokens of one sequence of a model: what was asked for, but no more than its context. */
    public int resolvedMaxModelTokens(ModelSpec spec) {
        return maxModelTokens == 0 ? spec.contextLength() : Math.min(maxModelTokens, spec.contextLength());
    }

    /**
     * Most tokens of a turn of a model: its context, or all KV blocks where they are known to hold less. On a device
     * how many there are is known to the engine alone, which refuses what it has no room for.
     */
    public int maxTurnTokens(ModelSpec spec) {
        return (int) Math.min(resolvedMaxModelTokens(spec), mostBlocks(spec) * blockSizeTokens);
    }

    private long mostBlocks(ModelSpec spec) {
        boolean onHost = HOST_BACKENDS.contains(backend);
        if (!onHost && pool.blockCount() == 0 && pool.memoryBytes() == 0) {
            return Integer.MAX_VALUE;
        }
        return pool.hostBlocks(new KvBlockLayout(
                spec.layerCount(),
                spec.kvHeadCount(),
                spec.headDim(),
                blockSizeTokens,
                // The smallest that there is.
                onHost ? KvElementType.F32 : KvElementType.F16,
                KvBlockLayout.PLAIN));
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
