package io.millrace.kv.rocksdb;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.SerializedCompositeKeyBuilder;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.state.rocksdb.RocksDBKeyedStateBackend;

/**
 * Makes sessions' ranges out of their keys, as Flink's own state does, and reads the keys back. Used by the task
 * thread.
 *
 * @param <K> the key of the backend
 */
final class SessionRanges<K> {
    private static final int KEY_BYTES_TYPICAL = 64;

    private final RocksDBKeyedStateBackend<K> backend;
    private final TypeSerializer<K> keySerializer;
    private final SerializedCompositeKeyBuilder<K> keys;

    SessionRanges(RocksDBKeyedStateBackend<K> backend) {
        this.backend = backend;
        keySerializer = backend.getKeySerializer().duplicate();
        keys = new SerializedCompositeKeyBuilder<>(keySerializer, backend.getKeyGroupPrefixBytes(), KEY_BYTES_TYPICAL);
    }

    /** The range of the backend's current key. */
    SessionRange ofCurrentKey() {
        K key = backend.getCurrentKey();
        keys.setKeyAndKeyGroup(key, KeyGroupRangeAssignment.assignToKeyGroup(key, backend.getNumberOfKeyGroups()));
        return new SessionRange(
                keys.buildCompositeKeyNamespace(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE));
    }

    /** Whether a session is one of the backend's: files may hold others, too, after a rescaling. */
    boolean isOwn(K key) {
        int keyGroup = KeyGroupRangeAssignment.assignToKeyGroup(key, backend.getNumberOfKeyGroups());
        return backend.getKeyGroupRange().contains(keyGroup);
    }

    /** The key of a session's range. */
    K keyOf(SessionRange range) throws IOException {
        byte[] prefix = range.prefix();
        int from = backend.getKeyGroupPrefixBytes();
        return keySerializer.deserialize(new DataInputDeserializer(prefix, from, prefix.length - from));
    }
}
