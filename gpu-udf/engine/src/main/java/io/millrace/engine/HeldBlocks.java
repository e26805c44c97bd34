package io.millrace.engine;

import io.millrace.kv.BlockHash;
import java.nio.ByteBuffer;

/**
 * Full blocks of the device that are kept from reuse until this is closed, so that they can be copied beside the
 * engine's steps. Any one thread at a time. Close it soon: held blocks are missing to sequences.
 */
public interface HeldBlocks extends AutoCloseable {
    /** Number of blocks: of those asked for, in their order, the ones that the device holds. */
    int size();

    /** A block's name. */
    BlockHash hash(int index);

    /** Whether sequences of two sessions or more have used the block since the device holds it. */
    boolean isShared(int index);

    /**
     * Copies a block.
     *
     * @param target gets the whole block from its position on, which moves behind it
     * @throws IllegalStateException if this is closed, or the lease or the engine has ended
     */
    void read(int index, ByteBuffer target);

    /** Lets go of the blocks. Again: does nothing. */
    @Override
    void close();
}
