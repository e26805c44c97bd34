package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.EngineLease;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.kv.rocksdb.BlockStores;
import io.millrace.operators.tiers.HostMemory;
import io.millrace.operators.tiers.SessionTiers;
import io.millrace.operators.tiers.SessionTimers;
import io.millrace.operators.tiers.TaskThread;
import io.millrace.operators.tiers.TierBase;
import io.millrace.operators.tiers.TierSettings;
import io.millrace.operators.tiers.TierState;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.execution.Environment;
import org.apache.flink.runtime.state.KeyedStateBackend;
import org.apache.flink.streaming.api.graph.StreamConfig;

/**
 * Opens the tiers of a subtask: HOST in its managed memory, STATE in its keyed state.
 *
 * @param settings how they work
 * @param state what they record
 * @param task the task's thread
 * @param timers the sessions' timers
 * @param lease the device
 * @param backend holds the keyed state
 * @param restoredCheckpointId the checkpoint that the task was restored from; -1 if from none
 */
record TierOpening(
        TierSettings settings,
        TierState state,
        TaskThread task,
        SessionTimers timers,
        EngineLease lease,
        KeyedStateBackend<SessionPlacement> backend,
        long restoredCheckpointId) {
    TierOpening {
        requireNonNull(settings, "settings");
        requireNonNull(state, "state");
        requireNonNull(task, "task");
        requireNonNull(timers, "timers");
        requireNonNull(lease, "lease");
        requireNonNull(backend, "backend");
    }

    /**
     * Opens them.
     *
     * @param owner whom Flink's books of managed memory name
     * @param operator the operator's part of the job graph
     */
    SessionTiers open(Object owner, StreamConfig operator, Environment environment, MetricGroup operatorGroup)
            throws Exception {
        String taskName = environment.getTaskInfo().getTaskNameWithSubtasks();
        int contentBytes = Math.toIntExact(lease.engine().kvLayout().blockBytes());
        TierBase base = new TierBase(
                settings,
                state,
                task,
                timers,
                lease,
                settings.stateEnabled() ? BlockStores.open(backend, settings.storeSettings(), taskName) : null,
                HostMemory.open(
                        owner, operator, environment, settings.hostMaxBytes(), contentBytes, lease.engine()::pageLock),
                restoredCheckpointId,
                TierOpening::newThread,
                System::nanoTime);
        return SessionTiers.open(base, operatorGroup);
    }

    private static Thread newThread(Runnable run) {
        Thread thread = new Thread(run, "millrace-decode-tiers");
        thread.setDaemon(true);
        return thread;
    }
}
