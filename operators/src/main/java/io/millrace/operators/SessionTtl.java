package io.millrace.operators;

import java.time.Duration;
import org.apache.flink.api.common.state.StateTtlConfig;

/** How state of sessions that do not come back is dropped. */
public final class SessionTtl {
    /** On the heap: entries looked at for each access, so that old ones go without a sweep. */
    private static final int CLEANUP_ENTRIES = 8;

    /** On RocksDB: entries compacted between two looks at the clock. */
    private static final int COMPACTED_ENTRIES = 1000;

    private SessionTtl() {}

    /** Drops what was not written for so long. */
    public static StateTtlConfig of(Duration ttl) {
        return StateTtlConfig.newBuilder(ttl)
                .updateTtlOnCreateAndWrite()
                .neverReturnExpired()
                .cleanupIncrementally(CLEANUP_ENTRIES, false)
                .cleanupInRocksdbCompactFilter(COMPACTED_ENTRIES)
                .build();
    }
}
