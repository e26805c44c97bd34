package io.millrace.kv.rocksdb;

import static java.util.Objects.requireNonNull;

import java.io.File;
import java.lang.reflect.Field;
import java.util.Map;
import org.apache.flink.runtime.state.KeyedStateBackend;
import org.apache.flink.state.rocksdb.RocksDBKeyedStateBackend;
import org.apache.flink.util.ResourceGuard;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDB;

/**
 * What lies behind Flink's RocksDB backend: the database, the column family of one state, and the directory. Flink has
 * no other way to them than its private fields, so this class knows their names, and only this class. It was made for
 * Flink 2.3.
 *
 * @param <K> the key of the backend
 * @param backend the backend itself
 * @param db the database of this subtask and attempt
 * @param family the state's column family
 * @param directory the attempt's directory, on the volume of the database
 * @param guard as long as somebody has a lease of it, the backend waits to dispose the database
 */
record RocksBackend<K>(
        RocksDBKeyedStateBackend<K> backend,
        RocksDB db,
        ColumnFamilyHandle family,
        File directory,
        ResourceGuard guard) {

    /** The backend is not what this class was made for. */
    static final class UnknownBackend extends Exception {
        private static final long serialVersionUID = 1L;

        UnknownBackend(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Looks into a backend.
     *
     * @param backend a {@link RocksDBKeyedStateBackend}
     * @param state the name of a state that is registered
     * @throws UnknownBackend if it is not as in Flink 2.3
     */
    static <K> RocksBackend<K> of(KeyedStateBackend<K> backend, String state) throws UnknownBackend {
        try {
            RocksDBKeyedStateBackend<K> rocks = (RocksDBKeyedStateBackend<K>) backend;
            Object info = field(rocks, "kvStateInformation", Map.class).get(state);
            requireNonNull(info, "no column family of state " + state);
            ColumnFamilyHandle family = ((RocksDBKeyedStateBackend.RocksDbKvStateInfo) info).columnFamilyHandle;
            return new RocksBackend<>(
                    rocks,
                    field(rocks, "db", RocksDB.class),
                    family,
                    field(rocks, "instanceBasePath", File.class),
                    field(rocks, "rocksDBResourceGuard", ResourceGuard.class));
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            throw new UnknownBackend(
                    "this RocksDB backend is not that of Flink 2.3, for which Millrace was made: " + e, e);
        }
    }

    private static <T> T field(RocksDBKeyedStateBackend<?> backend, String name, Class<T> type)
            throws ReflectiveOperationException {
        Field field = RocksDBKeyedStateBackend.class.getDeclaredField(name);
        field.setAccessible(true);
        return type.cast(requireNonNull(field.get(backend), name));
    }
}
