package io.millrace.kv;

/**
 * The free blocks of a pool, in the order in which they are reused. Free blocks keep their content and stay findable
 * until they are reused, so this order <em>is</em> the eviction policy. Every operation takes constant time. Used by
 * one thread, that of its pool.
 */
public interface RetentionOrder {
    /** Whether a free block's content is worth finding. If not, a pool forgets a block's hash as it becomes free. */
    boolean keepsContent();

    /**
     * Adds a block that became free.
     *
     * @param findable whether the prefix index knows its content; if not, it is worth nothing
     */
    void add(int blockId, boolean findable);

    /** Takes out a block that was found and is used again. It must be here. */
    void remove(int blockId);

    /** Takes out the block that is reused next, or returns {@link BlockPool#NONE} if no block is free. */
    int removeNext();

    /** Whether a block is free. */
    boolean contains(int blockId);

    /** Number of free blocks. */
    int size();

    /**
     * Verifies the order's own structure.
     *
     * @throws IllegalStateException naming what does not hold
     */
    void checkIntegrity();
}
