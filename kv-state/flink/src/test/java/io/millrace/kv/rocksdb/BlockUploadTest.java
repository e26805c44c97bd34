package io.millrace.kv.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.checkpoint.CheckpointType;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.SharedStateRegistryImpl;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.storage.FileSystemCheckpointStorage;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What incremental checkpoints upload, what lies on the disk, and where blocks are after the job is rescaled. */
class BlockUploadTest {
    @TempDir
    private Path directory;

    private final Configuration configuration = new Configuration();
    private final SharedStateRegistryImpl registry = new SharedStateRegistryImpl();

    @Test
    void aSteadyRunUploadsWhatIsNew() throws Exception {
        try (TestingBlockTask task = new TestingBlockTask(options(), null)) {
            Random random = new Random(7);
            long uploaded = 0;
            for (int checkpoint = 0; checkpoint < 30; checkpoint++) {
                for (int turn = 0; turn < 5; turn++) {
                    String session = "s" + random.nextInt(16);
                    task.write(session, 4);
                    task.store().mergeSmallFiles(task.place(session));
                }
                uploaded += upload(task);
            }
            double ratio = (double) uploaded / task.store().stats().writtenBytes();
            System.out.printf(
                    "steady: uploaded over new %.3f, %s%n", ratio, task.store().stats());
            assertThat(ratio).isLessThan(1.3);
            assertThat(liveFiles(task)).allMatch(file -> file.level() == 6);
            assertThat(task.missing()).isEmpty();
        }
    }

    @Test
    void sessionsThatComeAndGoLeaveNothingOnTheDisk() throws Exception {
        TestingBlockTask.Options options = options();
        options.settings = options.settings.withMerging(new BlockStoreSettings.Merging(4 << 20, 8, 20, 60, 0.1));
        try (TestingBlockTask task = new TestingBlockTask(options, null)) {
            Random random = new Random(8);
            long uploaded = 0;
            long liveBytesMax = 0;
            for (int checkpoint = 0; checkpoint < 60; checkpoint++) {
                for (int turn = 0; turn < 5; turn++) {
                    String session = "s" + random.nextInt(12);
                    task.write(session, 1 + random.nextInt(4));
                    task.store().mergeSmallFiles(task.place(session));
                }
                if (checkpoint % 3 == 0) {
                    List<String> sessions = new ArrayList<>(task.manifests.keySet());
                    task.dropAll(sessions.get(random.nextInt(sessions.size())));
                }
                uploaded += upload(task);
                liveBytesMax = Math.max(liveBytesMax, liveBytes(task));
            }
            double uploadRatio = (double) uploaded / task.store().stats().writtenBytes();
            double diskRatio = diskBytes(task) / (double) liveBytes(task);
            System.out.printf(
                    "churn: uploaded over new %.3f, disk over live %.3f, %s%n",
                    uploadRatio, diskRatio, task.store().stats());
            assertThat(uploadRatio).isLessThan(2);
            assertThat(diskRatio).isLessThan(2);
            assertThat(task.missing()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void rescalingFromOneToThreeToTwoLosesNothing(boolean ingestDb) throws Exception {
        configuration.setString("state.backend.rocksdb.use-ingest-db-restore-mode", String.valueOf(ingestDb));
        TestingBlockTask.Options options = options();
        TestingBlockTask one = new TestingBlockTask(options, null);
        for (int i = 0; i < 40; i++) {
            one.write("s" + i % 20, 3);
        }
        OperatorSubtaskState state = snapshot(one);
        List<TestingBlockTask> three = rescale(List.of(one), state, 3, 1);
        assertThat(three.stream()
                        .mapToLong(task -> task.store().stats().liveFiles())
                        .sum())
                .isEqualTo(40);
        for (TestingBlockTask task : three) {
            for (String session : task.manifests.keySet()) {
                task.write(session, 2);
            }
        }
        List<TestingBlockTask> two = rescale(three, snapshot(three), 2, 2);
        for (TestingBlockTask task : two) {
            for (String session : List.copyOf(task.manifests.keySet())) {
                task.write(session, 1);
            }
            assertThat(task.missing()).isEmpty();
            task.close();
        }
    }

    /** Ends the tasks and starts as many others from their state, each with the sessions that are its own now. */
    private List<TestingBlockTask> rescale(
            List<TestingBlockTask> before, OperatorSubtaskState state, int parallelism, long generation)
            throws Exception {
        List<TestingBlockTask> after = new ArrayList<>();
        for (int subtask = 0; subtask < parallelism; subtask++) {
            TestingBlockTask.Options options = options();
            options.generation = generation;
            options.parallelism = parallelism;
            options.subtask = subtask;
            TestingBlockTask task = new TestingBlockTask(
                    options,
                    AbstractStreamOperatorTestHarness.repartitionOperatorState(
                            state, TestingBlockTask.MAX_PARALLELISM, before.size(), parallelism, subtask));
            for (TestingBlockTask old : before) {
                old.manifests.forEach((session, keys) -> {
                    if (task.owns(session)) {
                        task.manifests.put(session, new TreeSet<>(keys));
                    }
                });
            }
            assertThat(task.missing()).isEmpty();
            after.add(task);
        }
        for (TestingBlockTask old : before) {
            old.close();
        }
        return after;
    }

    private OperatorSubtaskState snapshot(TestingBlockTask task) throws Exception {
        OperatorSubtaskState state = task.snapshot(CheckpointType.CHECKPOINT);
        task.register(state, registry);
        return state;
    }

    private OperatorSubtaskState snapshot(List<TestingBlockTask> tasks) throws Exception {
        List<OperatorSubtaskState> states = new ArrayList<>();
        for (TestingBlockTask task : tasks) {
            states.add(snapshot(task));
        }
        return AbstractStreamOperatorTestHarness.repackageState(states.toArray(OperatorSubtaskState[]::new));
    }

    private static long upload(TestingBlockTask task) throws Exception {
        return task.snapshot(CheckpointType.CHECKPOINT).getManagedKeyedState().stream()
                .mapToLong(KeyedStateHandle::getCheckpointedSize)
                .sum();
    }

    private static List<LiveFiles.LiveFile> liveFiles(TestingBlockTask task) throws Exception {
        RocksBackend<?> backend = RocksBackend.of(task.backend(), BlockStores.STATE_NAME);
        return new LiveFiles(backend.db(), backend.family()).list();
    }

    private static long liveBytes(TestingBlockTask task) {
        return task.manifests.values().stream().mapToLong(TreeSet::size).sum() * task.contentBytes;
    }

    private static long diskBytes(TestingBlockTask task) throws Exception {
        Path database = Path.of(task.store().stats().directory()).getParent();
        try (Stream<Path> files = Files.walk(database)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }

    private TestingBlockTask.Options options() throws Exception {
        EmbeddedRocksDBStateBackend rocks = new EmbeddedRocksDBStateBackend(true);
        rocks.setDbStoragePath(directory.resolve("rocks").toString());
        rocks.setRocksDBOptions(new BlockStateOptionsFactory());
        configuration.setString("state.backend.rocksdb.rescaling.use-delete-files-in-range", "true");
        StateBackend configured = rocks.configure(configuration, getClass().getClassLoader());
        String checkpoints = directory.resolve("checkpoints").toUri().toString();
        return new TestingBlockTask.Options(configured, new FileSystemCheckpointStorage(checkpoints));
    }
}
