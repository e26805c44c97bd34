package io.millrace.kv;

/**
 * Counts of a block pool at one moment.
 *
 * @param blockCount all blocks
 * @param usedBlocks blocks that sequences refer to
 * @param findableBlocks blocks that the prefix index knows, used or free
 * @param hitBlocks blocks that admitted sequences looked for and found, since the start
 * @param missedBlocks blocks that they looked for and did not find, since the start
 * @param evictedBlocks findable blocks that were reused for something else, since the start
 * @param duplicateBlocks blocks that were computed although another of the same content appeared first
 */
public record BlockPoolStats(
        int blockCount,
        int usedBlocks,
        int findableBlocks,
        long hitBlocks,
        long missedBlocks,
        long evictedBlocks,
        long duplicateBlocks) {
    /** Used blocks over all blocks. */
    public double usedRatio() {
        return (double) usedBlocks / blockCount;
    }
}
