package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.EngineLease;
import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.host.HostTier;
import java.util.concurrent.ThreadFactory;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What the tiers stand on.
 *
 * @param settings how they work
 * @param state what they record
 * @param task the task's thread
 * @param timers the sessions' timers
 * @param lease the device
 * @param store STATE; null if it is off. Closed with the tiers
 * @param host HOST; null if it is off. Closed with the tiers
 * @param restoredCheckpointId the checkpoint that the task was restored from; -1 if from none
 * @param threads makes the threads that copy and load
 * @param nanoClock nanoseconds of a monotonic clock
 */
public record TierBase(
        TierSettings settings,
        TierState state,
        TaskThread task,
        SessionTimers timers,
        EngineLease lease,
        @Nullable BlockStore store,
        @Nullable HostTier host,
        long restoredCheckpointId,
        ThreadFactory threads,
        LongSupplier nanoClock) {
    public TierBase {
        requireNonNull(settings, "settings");
        requireNonNull(state, "state");
        requireNonNull(task, "task");
        requireNonNull(timers, "timers");
        requireNonNull(lease, "lease");
        requireNonNull(threads, "threads");
        requireNonNull(nanoClock, "nanoClock");
    }
}
