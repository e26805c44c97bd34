package io.millrace.operators.prefill;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.kv.BlockValue;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.handover.BlockSender;
import io.millrace.operators.handover.HandoverCounters;
import io.millrace.operators.handover.HandoverMetrics;
import io.millrace.operators.handover.HandoverSettings;
import io.millrace.operators.tiers.JobThread;
import io.millrace.operators.tiers.TaskThread;
import java.util.concurrent.ThreadFactory;
import java.util.function.ToIntFunction;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.execution.Environment;
import org.apache.flink.runtime.io.network.api.writer.ResultPartitionWriter;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;

/**
 * Opens the hand-over by records of a subtask, with its thread.
 *
 * @param settings how it works
 * @param lease Prefill's engine
 * @param steps the lease's listener
 * @param environment the task's
 * @param task its thread
 * @param output where records go
 * @param operatorGroup gets the metrics
 * @param threads makes the thread that copies
 */
record HandoverOpening(
        HandoverSettings settings,
        EngineLease lease,
        HoldingInbox steps,
        Environment environment,
        TaskThread task,
        BlockSender.Output output,
        MetricGroup operatorGroup,
        ThreadFactory threads) {
    private static final int BUFFERS_MIN = 2;
    private static final int BUFFERS_MAX = 256;
    /** Copies that wait for the copy thread: as many as a sender orders at a time, and some to spare. */
    private static final int WAITING_COPIES_MAX = 16;
    /** Of so many blocks of the engine one may wait to be copied: at most a quarter of them can be held. */
    private static final int BLOCKS_PER_WAITING = 8;

    HandoverOpening {
        requireNonNull(settings, "settings");
        requireNonNull(lease, "lease");
        requireNonNull(steps, "steps");
        requireNonNull(environment, "environment");
        requireNonNull(task, "task");
        requireNonNull(output, "output");
        requireNonNull(operatorGroup, "operatorGroup");
        requireNonNull(threads, "threads");
    }

    Handover open() {
        Engine engine = lease.engine();
        int contentBytes = Math.toIntExact(engine.kvLayout().blockBytes());
        int engineBlocks = engine.stats().blocks().blockCount();
        long buffers = settings.copyBytes() / BlockValue.valueBytes(contentBytes);
        JobThread copyThread = new JobThread(WAITING_COPIES_MAX);
        HandoverCounters counters = new HandoverCounters();
        // The sender and what it tells of its room know each other.
        RecordHandover[] made = new RecordHandover[1];
        BlockSender sender = new BlockSender(new BlockSender.Parts(
                lease::hold,
                output,
                copyThread,
                task,
                () -> made[0].acknowledge(),
                counters,
                System::nanoTime,
                environment.getTaskInfo().getIndexOfThisSubtask(),
                contentBytes,
                segmentBytes(),
                (int) Math.max(BUFFERS_MIN, Math.min(BUFFERS_MAX, buffers)),
                Math.max(1, engineBlocks / BLOCKS_PER_WAITING),
                engineBlocks));
        made[0] = new RecordHandover(lease, steps, sender, copyThread, targets(), System::nanoTime);
        HandoverMetrics.registerSender(operatorGroup, counters);
        copyThread.start(threads);
        return made[0];
    }

    private int segmentBytes() {
        return (int) environment
                .getTaskManagerInfo()
                .getConfiguration()
                .get(TaskManagerOptions.MEMORY_SEGMENT_SIZE)
                .getBytes();
    }

    /** A session's subtask of Decode is the one that Flink sends the records of its key group to. */
    private ToIntFunction<SessionPlacement> targets() {
        ResultPartitionWriter[] writers = environment.getAllWriters();
        int maxParallelism = environment.getTaskInfo().getMaxNumberOfParallelSubtasks();
        int parallelism = writers.length == 0 ? 1 : writers[0].getNumberOfSubpartitions();
        return placement -> KeyGroupRangeAssignment.assignKeyToParallelOperator(placement, maxParallelism, parallelism);
    }
}
