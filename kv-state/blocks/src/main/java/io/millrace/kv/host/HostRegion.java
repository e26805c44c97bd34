package io.millrace.kv.host;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Memory outside the heap, cut into slots of one block's value each. It is made of slabs, because one buffer cannot
 * have more than 2 GiB.
 *
 * <pre>
 *   slab    = | up to the alignment - 64 | slot | gap | slot | gap | ...
 *   slot    = | 5 bytes of room | header of 59 bytes | content |
 *                                                    ^ aligned
 * </pre>
 *
 * <p>Contents begin at a multiple of 64 bytes, and at one of 4,096 where blocks are so large that it costs little.
 */
public final class HostRegion implements AutoCloseable {
    private static final int PAGE_BYTES = 4096;
    private static final int LINE_BYTES = 64;

    /** From this many bytes on a content begins at a page: what is lost to it is below a twelfth. */
    private static final int PAGE_ALIGNED_CONTENT_BYTES_MIN = 12 * PAGE_BYTES;

    private final int contentBytes;
    private final ByteBuffer[] slots;
    private final Runnable release;
    private boolean closed;

    /**
     * Cuts slabs into as many slots as they give.
     *
     * @param slabs direct; they belong to the region from now on
     * @param contentBytes bytes of a block's content
     * @param release frees the slabs; called once, when nobody uses a slot any more
     */
    public HostRegion(List<ByteBuffer> slabs, int contentBytes, Runnable release) {
        this.contentBytes = checkContentBytes(contentBytes);
        this.release = requireNonNull(release, "release");
        int strideBytes = strideBytes(contentBytes);
        slots = slabs.stream()
                .flatMap(slab -> cut(slab, contentBytes, strideBytes).stream())
                .toArray(ByteBuffer[]::new);
    }

    /** Slots in one slab of so many bytes, wherever it begins; 0 if it is too small for one. */
    public static int slotsIn(long slabBytes, int contentBytes) {
        long usable = slabBytes - 2L * alignmentBytes(checkContentBytes(contentBytes));
        return (int) Math.max(0, usable / strideBytes(contentBytes));
    }

    /** Bytes of a slab that gives so many slots, wherever it begins. */
    public static long slabBytes(int slotCount, int contentBytes) {
        return (long) slotCount * strideBytes(checkContentBytes(contentBytes)) + 2L * alignmentBytes(contentBytes);
    }

    /** Number of slots. */
    public int slotCount() {
        return slots.length;
    }

    /** Bytes of a block's content. */
    public int contentBytes() {
        return contentBytes;
    }

    /** A slot: a buffer of its own over {@link BlockValue#SLOT_CONTENT_OFFSET} bytes and the content. */
    ByteBuffer slot(int index) {
        return slots[index].duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Frees the memory. Whoever uses a slot afterwards may crash the process: the tier sees to it that nobody does. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            release.run();
        }
    }

    private static List<ByteBuffer> cut(ByteBuffer slab, int contentBytes, int strideBytes) {
        if (!slab.isDirect()) {
            throw new IllegalArgumentException("a slab must be a direct buffer");
        }
        int alignmentBytes = alignmentBytes(contentBytes);
        int unalignedBytes = slab.alignmentOffset(0, alignmentBytes);
        int firstContent = unalignedBytes == 0 ? alignmentBytes : 2 * alignmentBytes - unalignedBytes;
        int firstSlot = firstContent - BlockValue.SLOT_CONTENT_OFFSET;
        int slotBytes = BlockValue.SLOT_CONTENT_OFFSET + contentBytes;
        return IntStream.range(0, slotsIn(slab.capacity(), contentBytes))
                .mapToObj(slot -> slab.slice(firstSlot + slot * strideBytes, slotBytes))
                .toList();
    }

    private static int strideBytes(int contentBytes) {
        int alignmentBytes = alignmentBytes(contentBytes);
        return (BlockValue.SLOT_CONTENT_OFFSET + contentBytes + alignmentBytes - 1) / alignmentBytes * alignmentBytes;
    }

    private static int alignmentBytes(int contentBytes) {
        return contentBytes >= PAGE_ALIGNED_CONTENT_BYTES_MIN ? PAGE_BYTES : LINE_BYTES;
    }

    private static int checkContentBytes(int contentBytes) {
        if (contentBytes <= 0 || contentBytes > Integer.MAX_VALUE - 4 * PAGE_BYTES) {
            throw new IllegalArgumentException("a block's content cannot have " + contentBytes + " bytes");
        }
        return contentBytes;
    }
}
