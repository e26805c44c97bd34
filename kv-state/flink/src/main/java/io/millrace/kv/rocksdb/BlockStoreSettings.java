package io.millrace.kv.rocksdb;

/**
 * How blocks are stored.
 *
 * @param minFreeDiskBytes below this much usable space of the volume nothing is written
 * @param merging when small files are merged
 * @param heapReaderBytesMax bytes of values that one reader of a state other than RocksDB may copy into the heap
 */
public record BlockStoreSettings(long minFreeDiskBytes, Merging merging, long heapReaderBytesMax) {
    public BlockStoreSettings {
        if (minFreeDiskBytes < 0 || heapReaderBytesMax < 0) {
            throw new IllegalArgumentException("minFreeDiskBytes and heapReaderBytesMax must not be negative: "
                    + minFreeDiskBytes + ", " + heapReaderBytesMax);
        }
    }

    /**
     * When small files of a session are merged. Each file costs a checkpoint's barrier some 20 microseconds; each merge
     * makes the next checkpoint upload its blocks a second time.
     *
     * @param smallFileBytes a file below this is small
     * @param runLengthMin so many small files, one behind the other, are worth a merge
     * @param filesMin below this many files of the subtask nothing is merged
     * @param filesMax from here on merges may cost what they do; below, at most {@code costRatioMax}
     * @param costRatioMax bytes merged over bytes written
     */
    public record Merging(long smallFileBytes, int runLengthMin, int filesMin, int filesMax, double costRatioMax) {
        public Merging {
            if (smallFileBytes < 0 || runLengthMin < 2 || filesMin < 0 || filesMax < filesMin || costRatioMax < 0) {
                throw new IllegalArgumentException("runLengthMin must be at least 2, filesMax at least filesMin, and"
                        + " nothing negative: " + smallFileBytes + ", " + runLengthMin + ", " + filesMin + ", "
                        + filesMax + ", " + costRatioMax);
            }
        }

        /** What is good for most. */
        public static Merging defaults() {
            return new Merging(4L << 20, 8, 100, 400, 0.1);
        }
    }

    /** What is good for most: 1 GiB stays free. */
    public static BlockStoreSettings defaults() {
        return new BlockStoreSettings(
                1L << 30, Merging.defaults(), Runtime.getRuntime().maxMemory() / 8);
    }

    /** The same, with another minimum of usable space. */
    public BlockStoreSettings withMinFreeDiskBytes(long bytes) {
        return new BlockStoreSettings(bytes, merging, heapReaderBytesMax);
    }

    /** The same, with other merging. */
    public BlockStoreSettings withMerging(Merging other) {
        return new BlockStoreSettings(minFreeDiskBytes, other, heapReaderBytesMax);
    }
}
