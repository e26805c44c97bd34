package io.millrace.kv;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * A KV block as the tiers below the device hold it: a header that says which block this is and what its content must
 * sum up to, then the content as the model's instance gave it.
 *
 * <pre>
 *   byte   0        1           33              37          59
 *          version  block hash  CRC-32C of the  zeros       content
 *          = 1      32 bytes    content, big-   22 bytes
 *                               endian
 * </pre>
 *
 * <p>In a {@linkplain io.millrace.kv.host.HostRegion slot of host memory} a value begins at byte
 * {@link #PREFIX_ROOM_BYTES}, so that a store can write what it puts before a value, and the content lies at byte
 * {@link #SLOT_CONTENT_OFFSET}, aligned. A value can so be stored from where it lies.
 */
public final class BlockValue {
    /** Bytes before the content. */
    public static final int HEADER_BYTES = 59;

    /** Bytes of room before a value in a slot, for what a store puts before a value. */
    public static final int PREFIX_ROOM_BYTES = 5;

    /** Where the content begins in a slot. */
    public static final int SLOT_CONTENT_OFFSET = PREFIX_ROOM_BYTES + HEADER_BYTES;

    private static final byte VERSION = 1;
    private static final int HASH_OFFSET = 1;
    private static final int CHECKSUM_OFFSET = HASH_OFFSET + BlockHash.BYTES;
    private static final int ZEROS_OFFSET = CHECKSUM_OFFSET + Integer.BYTES;

    private BlockValue() {}

    /** What a check of a value found. All but {@link #OK} are misses: the block is to be had elsewhere. */
    public enum Check {
        /** The value is the block that was asked for, as it was written. */
        OK,
        /** It is another block's value, or the hash in its header is damaged. */
        WRONG_HASH,
        /** Its content or its header is not what was written. */
        DAMAGED,
        /** Another version of Millrace wrote it, or its first byte is damaged. */
        UNKNOWN_VERSION
    }

    /** Bytes of a value with a content of this size. */
    public static int valueBytes(int contentBytes) {
        return HEADER_BYTES + contentBytes;
    }

    /**
     * Writes the header before a content that lies there already. Reads the whole content once.
     *
     * @param value from its position the room for the header, then the content up to its limit; its position, limit and
     *     byte order are left as they were
     */
    public static void encodeHeader(BlockHash hash, ByteBuffer value) {
        if (value.remaining() < HEADER_BYTES) {
            throw new IllegalArgumentException(
                    "a block's value has at least " + HEADER_BYTES + " bytes, not " + value.remaining());
        }
        ByteBuffer header = value.slice().order(ByteOrder.BIG_ENDIAN);
        int checksum = contentChecksum(header);
        header.put(VERSION)
                .putLong(hash.bits0())
                .putLong(hash.bits1())
                .putLong(hash.bits2())
                .putLong(hash.bits3())
                .putInt(checksum);
        while (header.position() < HEADER_BYTES) {
            header.put((byte) 0);
        }
    }

    /**
     * Checks a value that was read from a store, its content included.
     *
     * @param value from its position to its limit the value; left as it was
     */
    public static Check check(BlockHash expected, ByteBuffer value) {
        if (value.remaining() < HEADER_BYTES) {
            return Check.DAMAGED;
        }
        ByteBuffer bytes = value.slice().order(ByteOrder.BIG_ENDIAN);
        if (bytes.get(0) != VERSION) {
            return Check.UNKNOWN_VERSION;
        }
        if (!hash(bytes).equals(expected)) {
            return Check.WRONG_HASH;
        }
        for (int at = ZEROS_OFFSET; at < HEADER_BYTES; at++) {
            if (bytes.get(at) != 0) {
                return Check.DAMAGED;
            }
        }
        return bytes.getInt(CHECKSUM_OFFSET) == contentChecksum(bytes) ? Check.OK : Check.DAMAGED;
    }

    /** The content of a value, as a view in the content's little-endian order. The value is left as it was. */
    public static ByteBuffer content(ByteBuffer value) {
        return value.slice(value.position() + HEADER_BYTES, value.remaining() - HEADER_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    private static BlockHash hash(ByteBuffer bytes) {
        return new BlockHash(
                bytes.getLong(HASH_OFFSET),
                bytes.getLong(HASH_OFFSET + Long.BYTES),
                bytes.getLong(HASH_OFFSET + 2 * Long.BYTES),
                bytes.getLong(HASH_OFFSET + 3 * Long.BYTES));
    }

    private static int contentChecksum(ByteBuffer bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes.slice(HEADER_BYTES, bytes.capacity() - HEADER_BYTES));
        return (int) checksum.getValue();
    }
}
