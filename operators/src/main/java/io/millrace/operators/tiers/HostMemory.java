package io.millrace.operators.tiers;

import io.millrace.kv.LeastRecentlyUsedRetention;
import io.millrace.kv.flink.ManagedHostMemory;
import io.millrace.kv.host.HostRegion;
import io.millrace.kv.host.HostTier;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Function;
import org.apache.flink.runtime.execution.Environment;
import org.apache.flink.streaming.api.graph.StreamConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens the HOST tier of an operator in its share of managed memory. */
public final class HostMemory {
    private static final Logger LOG = LoggerFactory.getLogger(HostMemory.class);

    private HostMemory() {}

    /**
     * The HOST tier; null, and a line in the log, where it is off.
     *
     * @param owner whom Flink's books of managed memory name
     * @param maxBytes bytes at most
     * @param contentBytes bytes of a block's content
     * @param pageLock prepares memory for the device's copies; what it returns ends that
     */
    public static @Nullable HostTier open(
            Object owner,
            StreamConfig operator,
            Environment environment,
            long maxBytes,
            int contentBytes,
            Function<List<ByteBuffer>, Runnable> pageLock) {
        if (maxBytes == 0) {
            LOG.info("the HOST tier is off by its setting");
            return null;
        }
        long shareBytes = ManagedHostMemory.shareBytes(operator, environment);
        HostRegion region = ManagedHostMemory.reserve(
                owner, environment.getMemoryManager(), shareBytes, maxBytes, contentBytes, pageLock);
        if (region.slotCount() == 0) {
            region.close();
            return null;
        }
        return new HostTier(region, new LeastRecentlyUsedRetention(region.slotCount()));
    }
}
