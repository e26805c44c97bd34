package io.millrace.kv.host;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One use of a slot of the HOST tier: until it is closed the slot is not given to another block, nor its memory freed.
 * Its buffers must not be used after that.
 */
public final class HostSlot implements AutoCloseable {
    private final HostTier tier;
    private final int index;
    private final BlockHash hash;
    private final AtomicBoolean closed = new AtomicBoolean();

    HostSlot(HostTier tier, int index, BlockHash hash) {
        this.tier = tier;
        this.index = index;
        this.hash = hash;
    }

    /** The block that the slot is for. */
    public BlockHash hash() {
        return hash;
    }

    /** The block's content: a buffer of the caller's own, little-endian, from 0 to the content's size. */
    public ByteBuffer content() {
        ByteBuffer slot = openSlot();
        return slot.slice(BlockValue.SLOT_CONTENT_OFFSET, slot.capacity() - BlockValue.SLOT_CONTENT_OFFSET)
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * The block's value, header and content: a buffer of the caller's own, which has {@link
     * BlockValue#PREFIX_ROOM_BYTES} bytes of room before its position.
     */
    public ByteBuffer value() {
        return openSlot().position(BlockValue.PREFIX_ROOM_BYTES);
    }

    /**
     * Makes a block that was written findable; it must not be written again. Where a block of this name is findable
     * already, because two wrote it at the same time, that one stays, and this slot is free after its last use.
     */
    public void publish() {
        openSlot();
        tier.publish(index, hash);
    }

    /** Ends the use. Again: does nothing. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            tier.unpin(index);
        }
    }

    private ByteBuffer openSlot() {
        if (closed.get()) {
            throw new IllegalStateException("this use of the slot of block " + hash + " has ended");
        }
        return tier.slot(index);
    }
}
