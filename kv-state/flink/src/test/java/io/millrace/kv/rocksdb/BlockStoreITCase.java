package io.millrace.kv.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.flink.SessionPlacement;
import io.millrace.kv.flink.SessionPlacementTypeInfo;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.core.memory.ManagedMemoryUseCase;
import org.apache.flink.runtime.checkpoint.CheckpointStatsSnapshot;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Blocks in a job's state through checkpoints, failures, both formats of savepoints, and other parallelisms. */
class BlockStoreITCase {
    private static final int SESSIONS = 12;
    private static final int CHECKPOINTS = 30;

    @TempDir
    private Path directory;

    private MiniCluster cluster;

    @BeforeEach
    void start() throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(RestOptions.BIND_PORT, "0");
        configuration.setString("taskmanager.memory.managed.size", "192m");
        configuration.setString("taskmanager.memory.managed.consumer-weights", "OPERATOR:50,STATE_BACKEND:50");
        configuration.set(TaskManagerOptions.NUM_TASK_SLOTS, 3);
        cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(3)
                .build());
        cluster.start();
        TestingBlocksFactory.BAD_BLOCKS.set(0);
        TestingBlocksFactory.READ_BY_GENERATION.clear();
        TestingBlocksFactory.WRITTEN_BYTES.set(0);
    }

    @AfterEach
    void stop() throws Exception {
        cluster.close();
    }

    @Test
    void everyWayOfRestoringBringsTheBlocksBack() throws Exception {
        JobID first = submit("rocksdb", 1, null);
        awaitRead(0);
        assertThat(TestingBlocksFactory.SLOTS.get()).isPositive();
        awaitCheckpoints(first, CHECKPOINTS);
        assertUploadsWhatIsNew(first);

        TestingBlocksFactory.FAIL_NEXT.set(true);
        await("a restart", () -> TestingBlocksFactory.GENERATION.get() > 0);
        awaitRead(0);
        String nativeSavepoint = stop(first, SavepointFormatType.NATIVE);

        long before = TestingBlocksFactory.GENERATION.get();
        JobID second = submit("rocksdb", 3, nativeSavepoint);
        await("the second job", () -> TestingBlocksFactory.GENERATION.get() > before);
        awaitRead(before);
        awaitCheckpoints(second, 1);
        String canonical = stop(second, SavepointFormatType.CANONICAL);

        long beforeThird = TestingBlocksFactory.GENERATION.get();
        JobID third = submit("rocksdb", 2, canonical);
        await("the third job", () -> TestingBlocksFactory.GENERATION.get() > beforeThird);
        awaitRead(beforeThird);
        canonical = stop(third, SavepointFormatType.CANONICAL);

        long beforeFourth = TestingBlocksFactory.GENERATION.get();
        JobID fourth = submit("hashmap", 2, canonical);
        await("the fourth job", () -> TestingBlocksFactory.GENERATION.get() > beforeFourth);
        awaitRead(beforeFourth);
        cluster.cancelJob(fourth).get(1, TimeUnit.MINUTES);
        assertThat(TestingBlocksFactory.BAD_BLOCKS).hasValue(0);
    }

    private void assertUploadsWhatIsNew(JobID job) throws Exception {
        CheckpointStatsSnapshot stats = cluster.getExecutionGraph(job).get().getCheckpointStatsSnapshot();
        long uploaded = stats.getSummaryStats().getCheckpointedSize().getSum();
        double ratio = (double) uploaded / TestingBlocksFactory.WRITTEN_BYTES.get();
        System.out.printf(
                "uploaded over new %.3f (%d bytes in %d checkpoints)%n",
                ratio, uploaded, stats.getCounts().getNumberOfCompletedCheckpoints());
        // What was written since the last checkpoint is not uploaded: on a busy machine that may be much.
        assertThat(ratio).isGreaterThan(0).isLessThan(1.3);
    }

    private JobID submit(String backend, int parallelism, String savepoint) throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(StateBackendOptions.STATE_BACKEND, backend);
        configuration.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(100));
        configuration.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                directory.resolve("checkpoints").toUri().toString());
        configuration.setString("state.backend.rocksdb.rescaling.use-delete-files-in-range", "true");
        configuration.setString("state.backend.rocksdb.options-factory", BlockStateOptionsFactory.class.getName());
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(10));
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        SingleOutputStreamOperator<String> blocks = environment
                .fromSequence(0, Long.MAX_VALUE)
                .setParallelism(1)
                .map(BlockStoreITCase::slowly)
                .setParallelism(1)
                .returns(SessionPlacementTypeInfo.INSTANCE)
                .keyBy(placement -> placement, SessionPlacementTypeInfo.INSTANCE)
                .transform("blocks", Types.STRING, new TestingBlocksFactory())
                .setParallelism(parallelism)
                .setMaxParallelism(64)
                .uid("blocks");
        blocks.getTransformation().declareManagedMemoryUseCaseAtOperatorScope(ManagedMemoryUseCase.OPERATOR, 100);
        blocks.sinkTo(new DiscardingSink<>()).setParallelism(1);
        JobGraph graph = environment.getStreamGraph().getJobGraph();
        if (savepoint != null) {
            graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(savepoint, true));
        }
        cluster.submitJob(graph).get(1, TimeUnit.MINUTES);
        return graph.getJobID();
    }

    private static SessionPlacement slowly(long number) {
        LockSupport.parkNanos(40_000_000);
        return SessionPlacement.bySessionId("session-" + number % SESSIONS);
    }

    private String stop(JobID job, SavepointFormatType format) throws Exception {
        String target = directory.resolve("savepoints").toUri().toString();
        return cluster.stopWithSavepoint(job, target, false, format).get(1, TimeUnit.MINUTES);
    }

    /** Waits until blocks are read, after this call, that attempts up to this generation wrote. */
    private static void awaitRead(long generation) {
        long before = readUpTo(generation);
        await("reads of generation " + generation, () -> readUpTo(generation) >= before + 2 * SESSIONS);
    }

    private static long readUpTo(long generation) {
        return TestingBlocksFactory.READ_BY_GENERATION.entrySet().stream()
                .filter(entry -> entry.getKey() <= generation)
                .map(Map.Entry::getValue)
                .mapToLong(AtomicLong::get)
                .sum();
    }

    private void awaitCheckpoints(JobID job, int count) {
        await(count + " checkpoints", () -> {
            try {
                return cluster.getExecutionGraph(job)
                                .get()
                                .getCheckpointStatsSnapshot()
                                .getCounts()
                                .getNumberOfCompletedCheckpoints()
                        >= count;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static void await(String what, BooleanSupplier condition) {
        for (int i = 0; i < 60_000; i++) {
            if (condition.getAsBoolean()) {
                return;
            }
            LockSupport.parkNanos(1_000_000);
        }
        throw new AssertionError(what + " did not come in a minute; bad blocks: " + TestingBlocksFactory.BAD_BLOCKS);
    }
}
