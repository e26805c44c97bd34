package io.millrace.kv.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.apache.flink.runtime.checkpoint.CheckpointType;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.storage.FileSystemCheckpointStorage;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.state.rocksdb.RocksDBOptionsFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;

class BlockStateOptionsFactoryTest {
    private static final int FILES = 300;
    private static final int MANIFEST_BYTES_MAX = 8 << 10;

    @TempDir
    private Path directory;

    @Test
    void boundsTheManifest() {
        try (DBOptions options = new DBOptions()) {
            new BlockStateOptionsFactory().createDBOptions(options, List.of());
            assertThat(options.maxManifestFileSize()).isEqualTo(512 << 10);
        }
    }

    @Test
    void aBoundedManifestBoundsWhatACheckpointUploadsBesidesBlocks() throws Exception {
        EmbeddedRocksDBStateBackend rocks = new EmbeddedRocksDBStateBackend(true);
        rocks.setDbStoragePath(directory.resolve("rocks").toString());
        rocks.setRocksDBOptions(new SmallManifests());
        String checkpoints = directory.resolve("checkpoints").toUri().toString();
        TestingBlockTask.Options options =
                new TestingBlockTask.Options(rocks, new FileSystemCheckpointStorage(checkpoints));
        options.contentBytes = 1_000;
        try (TestingBlockTask task = new TestingBlockTask(options, null)) {
            for (int i = 0; i < FILES; i++) {
                task.write("s" + i % 10, 1);
                task.dropAll("s" + i % 10);
            }
            task.write("last", 1);
            // Without the bound the manifest alone would have some 80 bytes for each file that came and went.
            long unbounded = 2L * 80 * FILES;
            long uploaded = task.snapshot(CheckpointType.CHECKPOINT).getManagedKeyedState().stream()
                    .mapToLong(KeyedStateHandle::getCheckpointedSize)
                    .sum();
            assertThat(uploaded).isLessThan(unbounded);
            assertThat(task.missing()).isEmpty();
        }
    }

    private static final class SmallManifests implements RocksDBOptionsFactory {
        private static final long serialVersionUID = 1L;

        @Override
        public DBOptions createDBOptions(DBOptions options, Collection<AutoCloseable> toClose) {
            return options.setMaxManifestFileSize(MANIFEST_BYTES_MAX);
        }

        @Override
        public ColumnFamilyOptions createColumnOptions(ColumnFamilyOptions options, Collection<AutoCloseable> toClose) {
            return options;
        }
    }
}
