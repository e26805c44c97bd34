package io.millrace.kv.rocksdb;

import java.util.Collection;
import org.apache.flink.state.rocksdb.RocksDBOptionsFactory;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;

/**
 * RocksDB's options for a state that holds blocks; the value of {@code state.backend.rocksdb.options-factory}. Each
 * file that the database takes adds to its manifest, and a checkpoint uploads the manifest whole, so it begins anew
 * early.
 */
public final class BlockStateOptionsFactory implements RocksDBOptionsFactory {
    private static final long serialVersionUID = 1L;

    // A file is some 100 bytes of it: the manifest of a few thousand files must fit, or it would begin anew each time.
    private static final long MANIFEST_BYTES_MAX = 512 << 10;

    /** For Flink, which makes it by its name. */
    public BlockStateOptionsFactory() {}

    @Override
    public DBOptions createDBOptions(DBOptions options, Collection<AutoCloseable> toClose) {
        return options.setMaxManifestFileSize(MANIFEST_BYTES_MAX);
    }

    @Override
    public ColumnFamilyOptions createColumnOptions(ColumnFamilyOptions options, Collection<AutoCloseable> toClose) {
        return options;
    }
}
