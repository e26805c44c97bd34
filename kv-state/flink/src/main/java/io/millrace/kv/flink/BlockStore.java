package io.millrace.kv.flink;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The STATE tier: block values of sessions in an operator's keyed state, by session and a 64-bit key that is never used
 * twice. Values never change.
 *
 * <p>What a method may cost decides its thread. Those of the <em>task thread</em> need the session's key to be the
 * operator's current one, and do no work that grows with the size of blocks; the others may be called on any thread,
 * one at a time for each object.
 */
public interface BlockStore extends AutoCloseable {
    /** A session's place in the store, for use on other threads. */
    interface Place {}

    /** Values that are written and not committed. */
    interface WrittenRun {}

    /** Reads values of one session. */
    interface Reader {
        /**
         * Reads a value, whole, as it was written. Any thread.
         *
         * @param buffer direct; gets the value from its position on, and its position moves behind it; must have room
         *     for a value of the size that was written, and before its position {@link #valuePrefixBytes} bytes, which
         *     are overwritten
         * @return false if there is no such value
         * @throws IOException if it cannot be read, or does not fit
         */
        boolean read(int index, ByteBuffer buffer) throws IOException;
    }

    /** Says which values somebody still names. */
    interface KnownValues {
        /**
         * Whether any of these values is still wanted. Called on the task thread, with any current key.
         *
         * @param key the session's key
         * @param firstKey the first value's key
         * @param lastKey the last value's key; there may be gaps between
         */
        boolean isKnown(Object key, long firstKey, long lastKey) throws Exception;
    }

    /** Whether writing costs the task thread nothing that grows with the size of values. */
    boolean writesBesideTheTask();

    /** The place of the current key. Task thread. */
    Place place();

    /**
     * Writes values under the keys {@code firstKey}, {@code firstKey + 1}, and so on. Any thread. Until it is committed
     * nobody reads it; a run that never is may lie in a checkpoint, where it does no harm.
     *
     * @param values direct, each with room for {@link #valuePrefixBytes} bytes before its position, which are
     *     overwritten; positions and limits are left as they were
     * @throws IOException if the disk is full or the like: nothing was written then
     */
    WrittenRun write(Place place, long firstKey, List<ByteBuffer> values) throws IOException;

    /** Bytes that {@link #write} and {@link Reader#read} need before each value. */
    int valuePrefixBytes();

    /** Makes a written run readable. Task thread. */
    void commit(WrittenRun run) throws Exception;

    /** Prepares to read these keys. Task thread. */
    Reader reader(Place place, long[] keys) throws Exception;

    /** Drops the values {@code firstKey} to {@code firstKey + count}, exclusive; their files go. Task thread. */
    void drop(Place place, long firstKey, int count) throws Exception;

    /** Drops all values of the current key. Task thread. */
    void dropAll(Place place) throws Exception;

    /**
     * Merges small files of a session into one, if it has many. Any thread. Does nothing where there are no files.
     *
     * @return bytes that were written again
     */
    long mergeSmallFiles(Place place) throws IOException;

    /**
     * Drops values that nobody names any more: those of runs that were written and never committed before the job's
     * last attempt ended. To be called after a restore, before anything is written. Looks at the files' key ranges and
     * reads no values, so it is not complete. Task thread.
     *
     * @return ranges of values that are dropped
     */
    int dropUnknown(KnownValues known) throws Exception;

    /** Counts at this moment. Any thread. */
    Stats stats();

    /** Ends all use beside the task thread. Task thread, before the operator's state is disposed. */
    @Override
    void close();

    /**
     * Counts of a store since it was opened.
     *
     * @param kind for people, such as {@code rocksdb} or {@code put}
     * @param directory where it writes, if it writes files itself
     * @param writtenBytes bytes of values that were written
     * @param mergedBytes bytes that were written again to merge files
     * @param readBytes bytes of values that were read
     * @param liveFiles files that hold values now; 0 where it is not known
     */
    record Stats(
            String kind,
            @Nullable String directory,
            long writtenBytes,
            long mergedBytes,
            long readBytes,
            long liveFiles) {}
}
