package io.millrace.kv.flink;

import io.millrace.kv.host.HostRegion;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.flink.core.memory.ManagedMemoryUseCase;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.runtime.execution.Environment;
import org.apache.flink.runtime.memory.MemoryManager;
import org.apache.flink.runtime.memory.MemoryReservationException;
import org.apache.flink.streaming.api.graph.StreamConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the HOST tier its memory out of an operator's share of Flink's managed memory. Flink keeps the books only: the
 * memory is allocated here, in large slabs outside the heap that do not count as the JVM's direct memory, because
 * managed memory comes in small pages that lie anywhere.
 */
public final class ManagedHostMemory {
    private static final Logger LOG = LoggerFactory.getLogger(ManagedHostMemory.class);

    /** One buffer has at most 2 GiB, and what a slab loses to alignment does not matter at this size. */
    private static final long SLAB_BYTES_MAX = 1L << 30;

    private ManagedHostMemory() {}

    /** Bytes of managed memory that the slot gives to an operator which declared the use case OPERATOR; 0 for none. */
    public static long shareBytes(StreamConfig operator, Environment environment) {
        double fraction = operator.getManagedMemoryFractionOperatorUseCaseOfSlot(
                ManagedMemoryUseCase.OPERATOR,
                environment.getJobConfiguration(),
                environment.getTaskManagerInfo().getConfiguration(),
                environment.getUserCodeClassLoader().asClassLoader());
        return fraction > 0 ? environment.getMemoryManager().computeMemorySize(fraction) : 0;
    }

    /** Reserves and allocates a region of whole slots, which is not page-locked. */
    public static HostRegion reserve(
            Object owner, MemoryManager memory, long shareBytes, long maxBytes, int contentBytes) {
        return reserve(owner, memory, shareBytes, maxBytes, contentBytes, slabs -> () -> {});
    }

    /**
     * Reserves and allocates a region of whole slots. What belongs to the share and is less than a slot stays
     * unreserved.
     *
     * @param owner whom Flink's books name
     * @param shareBytes what the slot gives; at 0 the region has no slots
     * @param maxBytes at most this much is taken
     * @param contentBytes bytes of a block's content
     * @param pageLock prepares the slabs for a device's copies; what it returns ends that, before they are freed
     * @return the region; closing it frees the memory and gives the reservation back
     * @throws IllegalStateException if the slot has less left than its share
     */
    public static HostRegion reserve(
            Object owner,
            MemoryManager memory,
            long shareBytes,
            long maxBytes,
            int contentBytes,
            Function<List<ByteBuffer>, Runnable> pageLock) {
        long budgetBytes = Math.min(shareBytes, maxBytes);
        List<Integer> slabs = slabs(budgetBytes, contentBytes);
        if (slabs.isEmpty()) {
            LOG.info(
                    "the HOST tier is off: {} bytes of managed memory (share {}, limit {}) are less than a block of {}",
                    budgetBytes,
                    shareBytes,
                    maxBytes,
                    contentBytes);
            return new HostRegion(List.of(), contentBytes, () -> {});
        }
        long bytes = slabs.stream().mapToLong(Integer::longValue).sum();
        reserve(owner, memory, bytes);
        List<MemorySegment> segments = new ArrayList<>();
        Runnable release = () -> {
            segments.forEach(MemorySegment::free);
            memory.releaseMemory(owner, bytes);
        };
        try {
            List<ByteBuffer> buffers = new ArrayList<>();
            for (int slabBytes : slabs) {
                MemorySegment segment = MemorySegmentFactory.allocateOffHeapUnsafeMemory(slabBytes);
                segments.add(segment);
                buffers.add(segment.processAsByteBuffer(Function.<ByteBuffer>identity()));
            }
            Runnable unlock = pageLock.apply(List.copyOf(buffers));
            HostRegion region = new HostRegion(buffers, contentBytes, () -> {
                unlock.run();
                release.run();
            });
            LOG.info("the HOST tier has {} blocks in {} bytes of managed memory", region.slotCount(), bytes);
            return region;
        } catch (RuntimeException | OutOfMemoryError e) {
            release.run();
            throw e;
        }
    }

    private static void reserve(Object owner, MemoryManager memory, long bytes) {
        try {
            memory.reserveMemory(owner, bytes);
        } catch (MemoryReservationException e) {
            throw new IllegalStateException(
                    "the HOST tier wants " + bytes + " bytes of managed memory, and the slot has "
                            + memory.availableMemory() + " of " + memory.getMemorySize()
                            + " left; check taskmanager.memory.managed.consumer-weights",
                    e);
        }
    }

    /** The sizes of the slabs that fit into the budget. */
    private static List<Integer> slabs(long budgetBytes, int contentBytes) {
        List<Integer> slabs = new ArrayList<>();
        long leftBytes = budgetBytes;
        while (true) {
            int slots = HostRegion.slotsIn(Math.min(leftBytes, SLAB_BYTES_MAX), contentBytes);
            if (slots == 0) {
                return slabs;
            }
            int slabBytes = Math.toIntExact(HostRegion.slabBytes(slots, contentBytes));
            slabs.add(slabBytes);
            leftBytes -= slabBytes;
        }
    }
}
