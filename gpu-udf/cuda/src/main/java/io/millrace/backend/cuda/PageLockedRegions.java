package io.millrace.backend.cuda;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cuda.device.Device;
import io.millrace.backend.cuda.device.HostAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Memory of the caller's that is page-locked, so that copies go straight from and to it. */
final class PageLockedRegions {
    private record Region(long start, long end, ByteBuffer memory) {}

    private final Device device;
    private final List<Region> regions = new CopyOnWriteArrayList<>();

    PageLockedRegions(Device device) {
        this.device = requireNonNull(device, "device");
    }

    /** Page-locks a direct buffer's bytes from its position to its limit. */
    synchronized void add(ByteBuffer memory) {
        device.registerHost(memory);
        long start = HostAddress.of(memory);
        regions.add(new Region(start, start + memory.remaining(), memory));
    }

    /** Ends {@link #add} for the same bytes; no copy of them runs. */
    synchronized void remove(ByteBuffer memory) {
        long start = HostAddress.of(memory);
        for (Region region : regions) {
            if (region.start == start) {
                regions.remove(region);
                device.unregisterHost(region.memory);
                return;
            }
        }
    }

    /** Whether a buffer's bytes from its position to its limit lie in one region. */
    boolean contains(ByteBuffer buffer) {
        if (regions.isEmpty() || !buffer.isDirect()) {
            return false;
        }
        long start = HostAddress.of(buffer);
        for (Region region : regions) {
            if (start >= region.start && start + buffer.remaining() <= region.end) {
                return true;
            }
        }
        return false;
    }

    /** Unlocks all. */
    synchronized void clear() {
        regions.forEach(region -> device.unregisterHost(region.memory));
        regions.clear();
    }
}
