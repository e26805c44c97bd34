package io.millrace.engine.backend;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.KvBlockLayout;
import io.millrace.kv.ServingException;
import java.io.Serializable;

/**
 * How many KV blocks an instance has: so many; or as many as some memory holds; or, if neither is said, as many as the
 * backend thinks right: {@link #HOST_BYTES} of the host's memory, or of a device's memory a share of what is free once
 * weights and all else are there.
 *
 * @param blockCount KV blocks; 0 leaves it to the others
 * @param memoryBytes memory of the KV blocks; 0 leaves it to the backend
 * @param freeFraction share of a device's free memory, above 0 and at most 1
 * @param reserveBytes device memory that is taken off before, and left to others
 */
public record KvPoolSize(int blockCount, long memoryBytes, double freeFraction, long reserveBytes)
        implements Serializable {
    /** KV memory of a backend that computes on the host, where nothing is said: 512 MiB. */
    public static final long HOST_BYTES = 512L << 20;

    /** The share, where nothing else is said. */
    public static final double DEFAULT_FREE_FRACTION = 0.9;

    /** What is left to others, where nothing else is said: 512 MiB. */
    public static final long DEFAULT_RESERVE_BYTES = 512L << 20;

    /** The backend's own size. */
    public static final KvPoolSize DEFAULT = new KvPoolSize(0, 0, DEFAULT_FREE_FRACTION, DEFAULT_RESERVE_BYTES);

    public KvPoolSize {
        check(blockCount >= 0, "blockCount", blockCount);
        check(memoryBytes >= 0, "memoryBytes", memoryBytes);
        // NaN fails the comparison.
        check(freeFraction > 0 && freeFraction <= 1, "freeFraction", freeFraction);
        check(reserveBytes >= 0, "reserveBytes", reserveBytes);
    }

    /** So many blocks. */
    public static KvPoolSize blocks(int count) {
        return new KvPoolSize(count, 0, DEFAULT_FREE_FRACTION, DEFAULT_RESERVE_BYTES);
    }

    /** As many blocks as this memory holds. */
    public static KvPoolSize memory(long bytes) {
        return new KvPoolSize(0, bytes, DEFAULT_FREE_FRACTION, DEFAULT_RESERVE_BYTES);
    }

    /** The number of blocks of a backend that computes on the host. At least one, however little the memory. */
    public int hostBlocks(KvBlockLayout layout) {
        return blockCount > 0 ? blockCount : Math.max(1, fitting(layout, memoryBytes > 0 ? memoryBytes : HOST_BYTES));
    }

    /**
     * The number of blocks on a device.
     *
     * @param freeBytes the device's memory that is free once the instance has all else that it needs
     * @param what names the model and the device in the error
     * @throws ServingException {@code UNAVAILABLE} with what is needed and what there is, if that is not so much
     */
    public int deviceBlocks(KvBlockLayout layout, long freeBytes, String what) {
        long forBlocks = Math.max(0, freeBytes - reserveBytes);
        boolean open = blockCount == 0 && memoryBytes == 0;
        int blocks = blockCount > 0
                ? blockCount
                : fitting(layout, memoryBytes > 0 ? memoryBytes : (long) (forBlocks * freeFraction));
        long needed = (long) Math.max(1, blocks) * layout.blockBytes();
        // An explicit size may have the reserve, too: who gave it knows what else is on the device.
        if (blocks == 0 || needed > freeBytes) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE,
                    what + ": " + Math.max(1, blocks) + " KV blocks need " + mebibytes(needed) + ", and "
                            + mebibytes(freeBytes) + " of device memory are free beside the weights"
                            + (open ? ", of which " + mebibytes(reserveBytes) + " are left to others" : ""));
        }
        return blocks;
    }

    private static int fitting(KvBlockLayout layout, long bytes) {
        // Slots are numbered by ints.
        return (int) Math.min(Integer.MAX_VALUE / layout.blockSizeTokens(), bytes / layout.blockBytes());
    }

    private static String mebibytes(long bytes) {
        return (bytes + (1 << 20) - 1 >> 20) + " MiB";
    }

    private static void check(boolean holds, String name, Object value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is out of its range: " + value);
        }
    }
}
