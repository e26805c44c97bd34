package io.millrace.engine;

import java.nio.ByteBuffer;

/**
 * Device blocks that wait for their content. Used by one thread at a time, other than the engine's. While it has not
 * ended, its sequence is not computed and its blocks are not given to others; so it must end, whatever happens. It ends
 * by itself only with its lease or the engine: what is written or said later is refused or passed over.
 */
public interface LoadTarget {
    /** Number of blocks. */
    int blockCount();

    /** Whether the sequence still wants them. If not, {@code done(0)} may be said at once. */
    boolean isWanted();

    /**
     * Writes a block.
     *
     * @param index 0 for the first of these blocks
     * @param content from its position to its limit the whole block, as the instance's {@code readBlock} gave it; the
     *     position is left as it was
     * @throws IllegalStateException if the load, the lease or the engine has ended
     */
    void write(int index, ByteBuffer content);

    /** Ends the load: so many leading blocks hold what they should, and the rest is computed. Once. */
    void done(int loadedBlocks);
}
