package io.millrace.kv;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/**
 * The name of a full KV block: a SHA-256 over everything that decided its content. All 256 bits are kept, so blocks are
 * compared by their names alone and never by their tokens: two different contents of one name would be a collision of
 * SHA-256, which nobody has found.
 *
 * @param bits0 the first eight bytes, big-endian
 * @param bits1 the second eight bytes
 * @param bits2 the third eight bytes
 * @param bits3 the last eight bytes
 */
public record BlockHash(long bits0, long bits1, long bits2, long bits3) {
    /** Bytes of a hash. */
    public static final int BYTES = 32;

    /** Reads a hash from its 32 bytes. */
    public static BlockHash fromBytes(byte[] bytes) {
        if (bytes.length != BYTES) {
            throw new IllegalArgumentException("a block hash has " + BYTES + " bytes, not " + bytes.length);
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return new BlockHash(buffer.getLong(), buffer.getLong(), buffer.getLong(), buffer.getLong());
    }

    /** Returns the hash's 32 bytes. */
    public byte[] toBytes() {
        return ByteBuffer.allocate(BYTES)
                .putLong(bits0)
                .putLong(bits1)
                .putLong(bits2)
                .putLong(bits3)
                .array();
    }

    // The bits are uniform already: mixing them again would only cost time.
    @Override
    public int hashCode() {
        return (int) bits3;
    }

    @Override
    public String toString() {
        return HexFormat.of().formatHex(toBytes());
    }
}
