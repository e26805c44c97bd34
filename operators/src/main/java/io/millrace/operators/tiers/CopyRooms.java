package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.host.HostSlot;
import io.millrace.kv.host.HostTier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Where blocks are copied to on their way to state: slots of HOST, which keep them, or, where it is off or all its
 * slots are in use, a few buffers of this object. Used by one thread.
 */
final class CopyRooms {
    /** Room for one block's value, until it is closed. */
    interface Room extends AutoCloseable {
        /** For the content, from its position on. */
        ByteBuffer content();

        /** The value, with {@link BlockValue#PREFIX_ROOM_BYTES} bytes of room before its position. */
        ByteBuffer value();

        /** The content and the header are written. */
        void publish();

        @Override
        void close();
    }

    private final @Nullable HostTier host;
    private final int contentBytes;
    private final int bufferCount;
    private final ArrayDeque<ByteBuffer> freeBuffers = new ArrayDeque<>();
    private int madeBuffers;

    /**
     * Rooms for blocks of a size.
     *
     * @param bufferCount buffers beside HOST, made when they are first needed
     */
    CopyRooms(@Nullable HostTier host, int contentBytes, int bufferCount) {
        this.host = host;
        this.contentBytes = contentBytes;
        this.bufferCount = bufferCount;
    }

    /** The block where HOST has it, kept until it is closed; null if HOST has not. */
    @Nullable
    Room find(BlockHash hash) {
        HostSlot slot = host == null ? null : host.find(hash);
        return slot == null ? null : new SlotRoom(slot);
    }

    /** A slot of HOST to write a block to; null if there is none. */
    @Nullable
    Room slot(BlockHash hash) {
        HostSlot slot = host == null ? null : host.reserve(hash);
        return slot == null ? null : new SlotRoom(slot);
    }

    /** A buffer to write a block to; null if all are in use. */
    @Nullable
    Room buffer() {
        ByteBuffer buffer = freeBuffers.poll();
        if (buffer == null && madeBuffers < bufferCount) {
            madeBuffers++;
            buffer = newBuffer(contentBytes);
        }
        return buffer == null ? null : new BufferRoom(buffer, freeBuffers);
    }

    /** A direct buffer laid out like a slot. */
    static ByteBuffer newBuffer(int contentBytes) {
        return ByteBuffer.allocateDirect(BlockValue.SLOT_CONTENT_OFFSET + contentBytes);
    }

    private record SlotRoom(HostSlot slot) implements Room {
        SlotRoom {
            requireNonNull(slot, "slot");
        }

        @Override
        public ByteBuffer content() {
            return slot.content();
        }

        @Override
        public ByteBuffer value() {
            return slot.value();
        }

        @Override
        public void publish() {
            slot.publish();
        }

        @Override
        public void close() {
            slot.close();
        }
    }

    private record BufferRoom(ByteBuffer buffer, ArrayDeque<ByteBuffer> home) implements Room {
        @Override
        public ByteBuffer content() {
            return buffer.duplicate()
                    .clear()
                    .position(BlockValue.SLOT_CONTENT_OFFSET)
                    .order(ByteOrder.LITTLE_ENDIAN);
        }

        @Override
        public ByteBuffer value() {
            return buffer.duplicate().clear().position(BlockValue.PREFIX_ROOM_BYTES);
        }

        @Override
        public void publish() {}

        @Override
        public void close() {
            home.add(buffer);
        }
    }
}
