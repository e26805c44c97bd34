package io.millrace.kv.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.runtime.checkpoint.CheckpointType;
import org.apache.flink.runtime.state.storage.FileSystemCheckpointStorage;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What happens to a store of blocks on a volume that is full. */
class BlockDiskFullTest {
    private static final int VOLUME_MB = 48;

    @TempDir
    private Path directory;

    @Test
    void theGuardStopsWritesAndNothingElse() throws Exception {
        try (TestingTmpfs volume = TestingTmpfs.mount(directory.resolve("small"), VOLUME_MB);
                TestingBlockTask task = start(volume, 16 << 20)) {
            int sessions = 0;
            try {
                for (; sessions < 1000; sessions++) {
                    task.write("s" + sessions, 10);
                }
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("must stay free");
            }
            assertThat(sessions).isBetween(10, 1000 - 1);
            assertThat(Files.getFileStore(volume.path()).getUsableSpace()).isGreaterThanOrEqualTo(16 << 20);
            assertWorks(task);

            task.dropAll("s0");
            task.dropAll("s1");
            awaitFiles(task, sessions - 2);
            task.write("again", 10);
            assertWorks(task);
        }
    }

    @Test
    void aWriteThatRunsIntoTheEndLeavesNothing() throws Exception {
        try (TestingTmpfs volume = TestingTmpfs.mount(directory.resolve("small"), VOLUME_MB);
                TestingBlockTask task = start(volume, 0)) {
            task.write("a", 10);
            Path ballast = volume.path().resolve("ballast");
            long usable = Files.getFileStore(volume.path()).getUsableSpace();
            Files.write(ballast, new byte[(int) usable - (2 << 20)]);
            // The volume says that it has room, and has less than the file needs: another process takes it.
            long before = Files.getFileStore(volume.path()).getUsableSpace();
            assertThatThrownBy(() -> task.store().write(task.place("b"), 1L << 40, tooMuch(task, before)))
                    .isInstanceOf(IOException.class);
            try (Stream<Path> files = Files.list(Path.of(task.store().stats().directory()))) {
                assertThat(files).isEmpty();
            }
            assertThat(task.check("b", 1L << 40)).isNull();
            assertWorks(task);
            Files.delete(ballast);
            task.write("b", 10);
            assertWorks(task);
        }
    }

    /** Values whose bytes fit exactly, but not with the file's index around them. */
    private static List<ByteBuffer> tooMuch(TestingBlockTask task, long usableBytes) {
        int count = (int) (usableBytes / (task.contentBytes + 59));
        List<ByteBuffer> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            values.add(task.newBuffer());
        }
        int rest = (int) (usableBytes - (long) count * (task.contentBytes + 59));
        values.add(ByteBuffer.allocateDirect(rest + 5).position(5));
        return values;
    }

    private static void assertWorks(TestingBlockTask task) throws Exception {
        assertThat(task.missing()).isEmpty();
        assertThat(task.snapshot(CheckpointType.CHECKPOINT)).isNotNull();
    }

    private TestingBlockTask start(TestingTmpfs volume, long minFreeBytes) throws Exception {
        EmbeddedRocksDBStateBackend backend = new EmbeddedRocksDBStateBackend(true);
        backend.setDbStoragePath(volume.path().toString());
        TestingBlockTask.Options options = new TestingBlockTask.Options(
                backend,
                new FileSystemCheckpointStorage(
                        directory.resolve("checkpoints").toUri().toString()));
        options.settings = BlockStoreSettings.defaults().withMinFreeDiskBytes(minFreeBytes);
        return new TestingBlockTask(options, null);
    }

    private static void awaitFiles(TestingBlockTask task, int count) throws Exception {
        for (int i = 0; task.store().stats().liveFiles() != count && i < 10_000; i++) {
            Thread.sleep(1);
        }
        assertThat(task.store().stats().liveFiles()).isEqualTo(count);
    }
}
