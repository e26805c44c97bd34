package io.millrace.kv.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.BlockValue;
import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.rocksdb.LiveFiles.LiveFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.checkpoint.CheckpointType;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.SavepointType;
import org.apache.flink.runtime.checkpoint.SnapshotType;
import org.apache.flink.runtime.state.CheckpointStorage;
import org.apache.flink.runtime.state.SharedStateRegistryImpl;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.runtime.state.storage.FileSystemCheckpointStorage;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RocksBlockStoreTest {
    private static final SnapshotType CHECKPOINT = CheckpointType.CHECKPOINT;
    private static final SnapshotType CANONICAL = SavepointType.savepoint(SavepointFormatType.CANONICAL);
    private static final SnapshotType NATIVE = SavepointType.savepoint(SavepointFormatType.NATIVE);

    @TempDir
    private Path directory;

    @Test
    void blocksAreReadAsTheyWereWritten() throws Exception {
        try (TestingBlockTask task = start(options(), null)) {
            assertThat(task.store().writesBesideTheTask()).isTrue();
            long first = task.write("a", 3);
            task.write("b", 2);
            task.write("a", 1);
            assertThat(task.missing()).isEmpty();
            assertThat(task.check("a", first + 7)).isNull();
            assertThat(task.check("b", first)).isNull();

            BlockStore.Stats stats = task.store().stats();
            assertThat(stats.kind()).isEqualTo("rocksdb");
            assertThat(stats.writtenBytes()).isEqualTo(6L * BlockValue.valueBytes(task.contentBytes));
            assertThat(stats.readBytes()).isEqualTo(stats.writtenBytes());
            assertThat(stats.liveFiles()).isEqualTo(3);
            assertThat(filesIn(Path.of(stats.directory()))).isEmpty();
        }
    }

    @Test
    void positionsStayAsTheyWere() throws Exception {
        try (TestingBlockTask task = start(options(), null)) {
            ByteBuffer value = task.newBuffer();
            BlockValue.encodeHeader(TestingBlockTask.hash("a", 0), value);
            task.store().write(task.place("a"), 0, List.of(value));
            assertThat(value.position()).isEqualTo(BlockValue.PREFIX_ROOM_BYTES);
            assertThat(value.remaining()).isEqualTo(BlockValue.valueBytes(task.contentBytes));

            ByteBuffer buffer = task.newBuffer();
            BlockStore.Reader reader = task.store().reader(task.place("a"), new long[] {0});
            assertThat(reader.read(0, buffer)).isTrue();
            assertThat(buffer.hasRemaining()).isFalse();
            assertThatThrownBy(
                            () -> reader.read(0, ByteBuffer.allocateDirect(100).position(5)))
                    .hasMessageContaining("does not fit into 95");
            assertThatThrownBy(() -> reader.read(0, ByteBuffer.allocateDirect(100)))
                    .hasMessageContaining("bytes of room before its position");
        }
    }

    @Test
    void filesEndInTheBottomLevel() throws Exception {
        try (TestingBlockTask task = start(options(), null)) {
            for (int i = 0; i < 20; i++) {
                task.write("s" + i % 5, 2);
            }
            assertThat(liveFiles(task)).hasSize(20).allMatch(file -> file.level() == 6);
        }
    }

    @Test
    void droppedBlocksAndTheirFilesGo() throws Exception {
        try (TestingBlockTask task = start(options(), null)) {
            long first = task.write("a", 3);
            task.write("a", 3);
            task.write("b", 3);
            task.store().drop(task.place("a"), first, 3);
            task.manifests.get("a").headSet(first + 3).clear();
            awaitFiles(task, 2);
            assertThat(task.check("a", first)).isNull();
            assertThat(task.missing()).isEmpty();
            task.dropAll("a");
            awaitFiles(task, 1);
            assertThat(task.missing()).isEmpty();
        }
    }

    @Test
    void aPartOfAFileIsDroppedByTombstones() throws Exception {
        try (TestingBlockTask task = start(options(), null)) {
            long first = task.write("a", 5);
            task.store().drop(task.place("a"), first + 1, 2);
            task.manifests.get("a").removeAll(List.of(first + 1, first + 2));
            awaitGone(task, "a", first + 1);
            assertThat(task.check("a", first + 2)).isNull();
            task.write("a", 2);
            assertThat(task.missing()).isEmpty();
        }
    }

    @Test
    void aSessionThatComesBackKeepsItsNewBlocks() throws Exception {
        try (TestingBlockTask task = start(options(), null)) {
            for (int i = 0; i < 40; i++) {
                task.write("a", 1);
                task.dropAll("a");
                task.write("a", 1);
                assertThat(task.missing()).isEmpty();
                task.dropAll("a");
            }
            awaitFiles(task, 0);
        }
    }

    @Test
    void smallFilesAreMergedIntoTheBottomLevel() throws Exception {
        TestingBlockTask.Options options = options();
        options.settings = options.settings.withMerging(new BlockStoreSettings.Merging(4 << 20, 8, 0, 0, 0));
        try (TestingBlockTask task = start(options, null)) {
            task.write("b", 1);
            for (int i = 0; i < 8; i++) {
                assertThat(task.store().mergeSmallFiles(task.place("a"))).isZero();
                task.write("a", 2);
            }
            task.write("c", 1);
            long merged = task.store().mergeSmallFiles(task.place("a"));
            assertThat(merged).isBetween(16L * task.contentBytes, 17L * task.contentBytes);
            assertThat(task.store().stats().mergedBytes()).isEqualTo(merged);
            assertThat(liveFiles(task)).hasSize(3).allMatch(file -> file.level() == 6);
            assertThat(task.store().mergeSmallFiles(task.place("a"))).isZero();
            assertThat(task.missing()).isEmpty();
            task.dropAll("a");
            awaitFiles(task, 2);
        }
    }

    @Test
    void fewFilesAreNotMerged() throws Exception {
        try (TestingBlockTask task = start(options(), null)) {
            for (int i = 0; i < 20; i++) {
                task.write("a", 1);
            }
            assertThat(task.store().mergeSmallFiles(task.place("a"))).isZero();
        }
    }

    @Test
    void everySnapshotBringsTheBlocksBack() throws Exception {
        for (SnapshotType type : List.of(CHECKPOINT, NATIVE, CANONICAL)) {
            OperatorSubtaskState state;
            SharedStateRegistryImpl registry = new SharedStateRegistryImpl();
            TestingBlockTask.Options options = options();
            try (TestingBlockTask task = start(options, null)) {
                task.write("a", 3);
                task.register(task.snapshot(CHECKPOINT), registry);
                task.write("a", 2);
                task.write("b", 4);
                task.dropAll("b");
                task.write("c", 4);
                state = task.snapshot(type);
                task.register(state, registry);
                options.generation = 1;
                try (TestingBlockTask restored = start(options, state)) {
                    restored.manifests.putAll(task.manifests);
                    assertThat(restored.missing()).as("%s", type).isEmpty();
                    restored.write("a", 2);
                    restored.dropAll("c");
                    assertThat(restored.missing()).as("%s", type).isEmpty();
                    awaitGone(restored, "c", task.manifests.get("c").first());
                }
            }
        }
    }

    @Test
    void canonicalSavepointsMoveBetweenBackends() throws Exception {
        OperatorSubtaskState state;
        TestingBlockTask.Options options = options();
        TreeSet<Long> keys;
        try (TestingBlockTask task = start(options, null)) {
            task.write("a", 3);
            state = task.snapshot(CANONICAL);
            keys = task.manifests.get("a");
        }
        options.backend = new HashMapStateBackend();
        options.generation = 1;
        try (TestingBlockTask task = start(options, state)) {
            assertThat(task.store().stats().kind()).isEqualTo("put");
            assertThat(task.store().writesBesideTheTask()).isFalse();
            task.manifests.put("a", keys);
            task.write("a", 2);
            assertThat(task.missing()).isEmpty();
            state = task.snapshot(CANONICAL);
        }
        options.backend = rocks();
        options.generation = 2;
        try (TestingBlockTask task = start(options, state)) {
            task.manifests.put("a", keys);
            task.write("a", 2);
            assertThat(keys).hasSize(7);
            assertThat(task.missing()).isEmpty();
        }
    }

    @Test
    void whatWasNeverCommittedGoesAfterARestore() throws Exception {
        TestingBlockTask.Options options = options();
        OperatorSubtaskState state;
        try (TestingBlockTask task = start(options, null)) {
            task.write("a", 3);
            task.writeOnly("a", 2);
            task.writeOnly("b", 2);
            state = task.snapshot(CHECKPOINT);
            options.generation = 1;
            try (TestingBlockTask restored = start(options, state)) {
                restored.manifests.putAll(task.manifests);
                List<String> asked = new ArrayList<>();
                int dropped = restored.store().dropUnknown((key, first, last) -> {
                    asked.add(key + ":" + first + "-" + last);
                    return first == 0;
                });
                assertThat(dropped).isEqualTo(2);
                assertThat(asked).hasSize(3).anyMatch(line -> line.contains("sessionId=b") && line.endsWith(":5-6"));
                awaitFiles(restored, 1);
                assertThat(restored.missing()).isEmpty();
            }
        }
    }

    @Test
    void aDamagedFileIsAMissAndNoWrongBlock() throws Exception {
        try (TestingBlockTask task = start(options(), null)) {
            long first = task.write("a", 4);
            Path database = Path.of(task.store().stats().directory()).resolveSibling("db");
            Path file = database.resolve(liveFiles(task).get(0).name().substring(1));
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length / 2] ^= 4;
            Files.write(file, bytes);
            List<BlockValue.Check> checks = new ArrayList<>();
            for (long key = first; key < first + 4; key++) {
                checks.add(task.check("a", key));
            }
            assertThat(checks).containsOnlyOnce(BlockValue.Check.DAMAGED).contains(BlockValue.Check.OK);
        }
    }

    @Test
    void aFullVolumeRefusesClearly() throws Exception {
        TestingBlockTask.Options options = options();
        options.settings = BlockStoreSettings.defaults().withMinFreeDiskBytes(1L << 60);
        try (TestingBlockTask task = start(options, null)) {
            assertThatThrownBy(() -> task.write("a", 1))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("must stay free");
            assertThat(filesIn(Path.of(task.store().stats().directory()))).isEmpty();
            assertThat(task.check("a", 0)).isNull();
        }
    }

    @Test
    void nothingIsUsedAfterTheEnd() throws Exception {
        TestingBlockTask task = start(options(), null);
        BlockStore.Place place = task.place("a");
        task.write("a", 1);
        BlockStore store = task.store();
        BlockStore.Reader reader = store.reader(place, new long[] {0});
        task.close();
        assertThatThrownBy(() -> reader.read(0, task.newBuffer())).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> store.write(place, 5, List.of(task.newBuffer())))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> store.mergeSmallFiles(place)).isInstanceOf(IOException.class);
        store.dropAll(place);
        assertThat(store.stats().liveFiles()).isZero();
    }

    private TestingBlockTask.Options options() throws Exception {
        CheckpointStorage storage = new FileSystemCheckpointStorage(
                directory.resolve("checkpoints").toUri().toString());
        return new TestingBlockTask.Options(rocks(), storage);
    }

    private StateBackend rocks() {
        EmbeddedRocksDBStateBackend backend = new EmbeddedRocksDBStateBackend(true);
        backend.setDbStoragePath(directory.resolve("rocks").toString());
        backend.setRocksDBOptions(new BlockStateOptionsFactory());
        return backend;
    }

    private static TestingBlockTask start(TestingBlockTask.Options options, OperatorSubtaskState state)
            throws Exception {
        return new TestingBlockTask(options, state);
    }

    private static List<LiveFile> liveFiles(TestingBlockTask task) throws Exception {
        RocksBackend<?> backend = RocksBackend.of(task.backend(), BlockStores.STATE_NAME);
        return new LiveFiles(backend.db(), backend.family()).list();
    }

    private static void awaitFiles(TestingBlockTask task, int count) throws Exception {
        for (int i = 0; task.store().stats().liveFiles() != count && i < 10_000; i++) {
            Thread.sleep(1);
        }
        assertThat(task.store().stats().liveFiles()).isEqualTo(count);
    }

    private static void awaitGone(TestingBlockTask task, String session, long key) throws Exception {
        for (int i = 0; task.check(session, key) != null && i < 10_000; i++) {
            Thread.sleep(1);
        }
        assertThat(task.check(session, key)).isNull();
    }

    private static List<Path> filesIn(Path directory) throws Exception {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }
}
