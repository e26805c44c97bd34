package io.millrace.kv.rocksdb;

import io.millrace.kv.flink.BlockStore;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A session's contiguous range of keys in the column family of the blocks.
 *
 * <pre>
 *   key = | key group, 1 or 2 bytes | session's key, serialized | namespace, 1 byte | block's key, 8 bytes big-endian |
 *         '---------------------------- prefix -----------------------------------'
 * </pre>
 *
 * <p>Serialized session keys say how long they are, so no prefix begins with another one.
 */
final class SessionRange implements BlockStore.Place {
    private final byte[] prefix;

    SessionRange(byte[] prefix) {
        this.prefix = prefix;
    }

    /** The range of the session that a key of the family belongs to. */
    static SessionRange ofKey(byte[] key) {
        return new SessionRange(Arrays.copyOf(key, key.length - Long.BYTES));
    }

    /** The block's key within a key of the family. */
    static long blockKey(byte[] key) {
        return ByteBuffer.wrap(key).getLong(key.length - Long.BYTES);
    }

    byte[] prefix() {
        return prefix;
    }

    /** The key of a block. */
    byte[] key(long blockKey) {
        byte[] key = Arrays.copyOf(prefix, prefix.length + Long.BYTES);
        ByteBuffer.wrap(key).putLong(prefix.length, blockKey);
        return key;
    }

    /** The first key that is behind the session's. */
    byte[] end() {
        byte[] end = prefix.clone();
        int at = end.length - 1;
        while (++end[at] == 0) {
            at--;
        }
        return end;
    }

    /** Whether a key of the family is one of the session's. */
    boolean contains(byte[] key) {
        return key.length == prefix.length + Long.BYTES
                && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }

    /** A direct buffer of a key's size, for {@link #toKey}. */
    ByteBuffer newKeyBuffer() {
        return ByteBuffer.allocateDirect(prefix.length + Long.BYTES)
                .order(ByteOrder.BIG_ENDIAN)
                .put(prefix);
    }

    /** Makes a buffer of {@link #newKeyBuffer} hold the key of a block, ready to be read. */
    ByteBuffer toKey(long blockKey, ByteBuffer buffer) {
        return buffer.clear().putLong(prefix.length, blockKey);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SessionRange that && Arrays.equals(prefix, that.prefix);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(prefix);
    }
}
