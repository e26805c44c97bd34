package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.LeastRecentlyUsedRetention;
import io.millrace.kv.RetentionOrder;
import java.time.Duration;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;

/**
 * How an engine runs its model.
 *
 * @param modelFingerprint names everything besides tokens that decides the content of a KV block: the weights, their
 *     type, the kind of device
 * @param endTokenIds the model's end tokens, from its tokenizer
 * @param maxBatchTokens most tokens of one step, prefill and decode together
 * @param maxBatchSequences most sequences of one step
 * @param maxModelTokens most tokens of one sequence, prompt and output
 * @param queueCapacity most sequences that wait to be scheduled for the first time
 * @param maxLoads most sequences whose blocks are loaded at a time
 * @param retention makes the eviction policy for so many blocks
 * @param stallTimeout how long a lease may leave its outputs unacknowledged before the blocks of its sequences can be
 *     taken for others
 * @param nanoClock nanoseconds of a monotonic clock
 * @param speculation what is spent on guesses and constraints
 */
public record EngineOptions(
        String modelFingerprint,
        Set<Integer> endTokenIds,
        int maxBatchTokens,
        int maxBatchSequences,
        int maxModelTokens,
        int queueCapacity,
        int maxLoads,
        IntFunction<RetentionOrder> retention,
        Duration stallTimeout,
        LongSupplier nanoClock,
        SpeculationOptions speculation) {
    /** Most tokens of one step, where nothing else is said. */
    public static final int DEFAULT_MAX_BATCH_TOKENS = 512;
    /** Most sequences of one step, where nothing else is said. */
    public static final int DEFAULT_MAX_BATCH_SEQUENCES = 32;
    /** Most waiting sequences, where nothing else is said. */
    public static final int DEFAULT_QUEUE_CAPACITY = 1024;
    /** Most sequences whose blocks are loaded at a time, where nothing else is said. */
    public static final int DEFAULT_MAX_LOADS = 4;
    /** How long a lease may leave its outputs unacknowledged, where nothing else is said. */
    public static final Duration DEFAULT_STALL_TIMEOUT = Duration.ofSeconds(1);

    public EngineOptions {
        requireNonNull(modelFingerprint, "modelFingerprint");
        endTokenIds = Set.copyOf(endTokenIds);
        checkPositive(maxBatchTokens, "maxBatchTokens");
        checkPositive(maxBatchSequences, "maxBatchSequences");
        checkPositive(maxModelTokens, "maxModelTokens");
        checkPositive(queueCapacity, "queueCapacity");
        checkPositive(maxLoads, "maxLoads");
        requireNonNull(retention, "retention");
        if (stallTimeout.isZero() || stallTimeout.isNegative()) {
            throw new IllegalArgumentException("stallTimeout must be positive: " + stallTimeout);
        }
        requireNonNull(nanoClock, "nanoClock");
        requireNonNull(speculation, "speculation");
    }

    /** The defaults for a model: its context, its end tokens, least recently used retention, the system's clock. */
    public static EngineOptions of(String modelFingerprint, Set<Integer> endTokenIds, int maxModelTokens) {
        return new EngineOptions(
                modelFingerprint,
                endTokenIds,
                DEFAULT_MAX_BATCH_TOKENS,
                DEFAULT_MAX_BATCH_SEQUENCES,
                maxModelTokens,
                DEFAULT_QUEUE_CAPACITY,
                DEFAULT_MAX_LOADS,
                LeastRecentlyUsedRetention::new,
                DEFAULT_STALL_TIMEOUT,
                System::nanoTime,
                SpeculationOptions.DEFAULT);
    }

    /** These options with other limits. */
    public EngineOptions withLimits(int otherMaxBatchTokens, int otherMaxBatchSequences, int otherQueueCapacity) {
        return new EngineOptions(
                modelFingerprint,
                endTokenIds,
                otherMaxBatchTokens,
                otherMaxBatchSequences,
                maxModelTokens,
                otherQueueCapacity,
                maxLoads,
                retention,
                stallTimeout,
                nanoClock,
                speculation);
    }

    /** These options with so many loads at a time. */
    public EngineOptions withMaxLoads(int otherMaxLoads) {
        return new EngineOptions(
                modelFingerprint,
                endTokenIds,
                maxBatchTokens,
                maxBatchSequences,
                maxModelTokens,
                queueCapacity,
                otherMaxLoads,
                retention,
                stallTimeout,
                nanoClock,
                speculation);
    }

    /** These options with another eviction policy. */
    public EngineOptions withRetention(IntFunction<RetentionOrder> otherRetention) {
        return new EngineOptions(
                modelFingerprint,
                endTokenIds,
                maxBatchTokens,
                maxBatchSequences,
                maxModelTokens,
                queueCapacity,
                maxLoads,
                otherRetention,
                stallTimeout,
                nanoClock,
                speculation);
    }

    /** These options with another clock. */
    public EngineOptions withClock(LongSupplier otherNanoClock) {
        return new EngineOptions(
                modelFingerprint,
                endTokenIds,
                maxBatchTokens,
                maxBatchSequences,
                maxModelTokens,
                queueCapacity,
                maxLoads,
                retention,
                stallTimeout,
                otherNanoClock,
                speculation);
    }

    /** These options with another speculation. */
    public EngineOptions withSpeculation(SpeculationOptions otherSpeculation) {
        return new EngineOptions(
                modelFingerprint,
                endTokenIds,
                maxBatchTokens,
                maxBatchSequences,
                maxModelTokens,
                queueCapacity,
                maxLoads,
                retention,
                stallTimeout,
                nanoClock,
                otherSpeculation);
    }

    /** Most rows of one step whose logits are wanted. */
    public int maxLogitsRows() {
        return maxBatchSequences + speculation.maxDraftRows();
    }

    private static void checkPositive(int value, String name) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
    }
}
