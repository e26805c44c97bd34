package io.millrace.kv.host;

/**
 * The HOST tier at one moment; counts are since its start.
 *
 * @param slotCount slots that there are
 * @param contentBytes bytes of a block's content
 * @param findableBlocks blocks that can be found
 * @param pinnedSlots slots in use, which cannot be given to other blocks now
 * @param hitBlocks searches that found their block
 * @param missedBlocks searches that did not
 * @param writtenBlocks blocks that were made findable
 * @param evictedBlocks findable blocks whose slot was given to another
 * @param refusedBlocks blocks that got no slot, because all were in use
 */
public record HostTierStats(
        int slotCount,
        int contentBytes,
        int findableBlocks,
        int pinnedSlots,
        long hitBlocks,
        long missedBlocks,
        long writtenBlocks,
        long evictedBlocks,
        long refusedBlocks) {
    /** Share of slots that hold a findable block; 0 if there is no slot. */
    public double usedRatio() {
        return slotCount == 0 ? 0 : (double) findableBlocks / slotCount;
    }
}
