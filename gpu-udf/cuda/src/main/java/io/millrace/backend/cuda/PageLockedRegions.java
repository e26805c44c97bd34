package io.millrace.backend.cuda;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cuda.device.Device;
import io.millrace.backend.cuda.device.HostAddress;
import io.millrace.kv.ServingException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Memory of the caller's that is page-locked, so that copies go straight from and to it. */
final class PageLockedRegions {
    private static final Logger LOG = LoggerFactory.getLogger(PageLockedRegions.class);

    private record Region(long start, long end, ByteBuffer memory) {}

    private final Device device;
    private final List<Region> regions = new CopyOnWriteArrayList<>();

    PageLockedRegions(Device device) {
        this.device = requireNonNull(device, "device");
    }

    /**
     * Page-locks a whole direct buffer.
     *
     * @return false, and a line in the log, if the system does not allow it: copies of them are slower then
     */
    synchronized boolean add(ByteBuffer buffer) {
        // Of its own: the caller's position moves.
        ByteBuffer memory = buffer.duplicate().clear();
        try {
            device.registerHost(memory);
        } catch (ServingException e) {
            LOG.warn(
                    "{} bytes of host memory cannot be page-locked: copies of blocks are slower",
                    memory.remaining(),
                    e);
            return false;
        }
        long start = HostAddress.of(memory);
        regions.add(new Region(start, start + memory.remaining(), memory));
        return true;
    }

    /** Ends {@link #add}; no copy of the buffer's bytes runs. */
    synchronized void remove(ByteBuffer buffer) {
        long start = HostAddress.of(buffer.duplicate().clear());
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
