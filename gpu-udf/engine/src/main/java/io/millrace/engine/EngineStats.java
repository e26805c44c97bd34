package io.millrace.engine;

import io.millrace.kv.BlockPoolStats;

/**
 * Counts of an engine after its latest step. Those without "now" only grow.
 *
 * @param runningSequences sequences that hold blocks now
 * @param waitingSequences sequences that wait now, preempted ones among them
 * @param stepCount steps that ran a batch
 * @param promptTokens prompt tokens that were computed, those computed again after a preemption included
 * @param cachedTokens prompt tokens of ended sequences that were found in the prefix cache, or loaded
 * @param loadedTokens tokens whose blocks prefix sources loaded, those loaded again after a preemption included
 * @param outputTokens tokens that were sampled
 * @param finishedSequences sequences that ended well, cancelled ones included
 * @param failedSequences sequences that failed
 * @param preemptions sequences that lost their blocks to others
 * @param stepNanos time of those steps, from scheduling to the last sampled token
 * @param executeNanos the part of it that the backend took
 * @param sampleNanos the part of it that sampling took
 * @param stepNanosMax the longest step's time
 * @param promptTokensPerSecond how fast prompts were computed lately, a mean; 0 before the first
 * @param queuedPromptTokens tokens that waiting and running sequences now have to compute before their next tokens are
 *     sampled; of waiting ones all count, although some may be found
 * @param heldBlocks blocks that are held now, to be copied; one of two holds counts twice
 * @param blocks the block pool
 * @param speculation guesses and constraints
 */
public record EngineStats(
        int runningSequences,
        int waitingSequences,
        long stepCount,
        long promptTokens,
        long cachedTokens,
        long loadedTokens,
        long outputTokens,
        long finishedSequences,
        long failedSequences,
        long preemptions,
        long stepNanos,
        long executeNanos,
        long sampleNanos,
        long stepNanosMax,
        double promptTokensPerSecond,
        long queuedPromptTokens,
        int heldBlocks,
        BlockPoolStats blocks,
        SpeculationStats speculation) {}
