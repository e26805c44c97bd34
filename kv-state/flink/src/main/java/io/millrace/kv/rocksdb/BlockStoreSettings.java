package io.millrace.kv.rocksdb;

/**
 * How blocks are stored.
 *
 * @param minFreeDiskBytes below this much usable space of the volume nothing is written
 * @param smallFileBytes a file below this is small
 * @param smallFilesMax small files of a session, one behind the other, that are merged once there are so many
 * @param liveFilesMin below this many files of the state nothing is merged: each file costs a checkpoint's barrier some
 *     20 microseconds, and each merge uploads its blocks a second time
 * @param heapReaderBytesMax bytes of values that one reader of a state other than RocksDB may copy into the heap
 */
public record BlockStoreSettings(
        long minFreeDiskBytes, long smallFileBytes, int smallFilesMax, int liveFilesMin, long heapReaderBytesMax) {
    public BlockStoreSettings {
        if (minFreeDiskBytes < 0 || smallFileBytes < 0 || smallFilesMax < 2 || liveFilesMin < 0) {
            throw new IllegalArgumentException("minFreeDiskBytes, smallFileBytes and liveFilesMin must not be"
                    + " negative, and smallFilesMax at least 2: " + minFreeDiskBytes + ", " + smallFileBytes + ", "
                    + liveFilesMin + ", " + smallFilesMax);
        }
    }

    /** What is good for most: 1 GiB of free disk, and merging from 8 files below 4 MB on where there are 100 files. */
    public static BlockStoreSettings defaults() {
        return new BlockStoreSettings(
                1L << 30, 4L << 20, 8, 100, Runtime.getRuntime().maxMemory() / 8);
    }

    /** The same, with another minimum of usable space. */
    public BlockStoreSettings withMinFreeDiskBytes(long bytes) {
        return new BlockStoreSettings(bytes, smallFileBytes, smallFilesMax, liveFilesMin, heapReaderBytesMax);
    }

    /** The same, with merging from so many files of the state on. */
    public BlockStoreSettings withLiveFilesMin(int files) {
        return new BlockStoreSettings(minFreeDiskBytes, smallFileBytes, smallFilesMax, files, heapReaderBytesMax);
    }
}
