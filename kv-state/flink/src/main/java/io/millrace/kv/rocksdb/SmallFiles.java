package io.millrace.kv.rocksdb;

import io.millrace.kv.rocksdb.BlockStoreSettings.Merging;
import io.millrace.kv.rocksdb.LiveFiles.LiveFile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.CompactionOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * Merges a session's small files before they are many. Counts what is written, and lists the database's files only when
 * the count says that there is something to merge, or has grown so long that it must be made anew.
 *
 * <p>Any thread may count; merges run one at a time, and never beside a drop: a file that is being merged would stay.
 */
final class SmallFiles implements AutoCloseable {
    /** No merge takes more files than this, so that it stays short. */
    private static final int MERGED_FILES_MAX = 32;

    /** The count may name so many sessions more than there are files, before it is made anew. */
    private static final int STALE_SESSIONS_MAX = 1024;

    private final RocksDB db;
    private final ColumnFamilyHandle family;
    private final LiveFiles liveFiles;
    private final IngestDirectory directory;
    private final Merging settings;
    private final CompactionOptions options = new CompactionOptions()
            .setCompression(CompressionType.NO_COMPRESSION)
            .setMaxSubcompactions(1);

    /** Small files of each session, or more: drops are not counted. */
    private Map<SessionRange, Integer> counts = new HashMap<>();

    private long writtenBytes;
    private long mergedBytes;

    SmallFiles(
            RocksDB db, ColumnFamilyHandle family, LiveFiles liveFiles, IngestDirectory directory, Merging settings) {
        this.db = db;
        this.family = family;
        this.liveFiles = liveFiles;
        this.directory = directory;
        this.settings = settings;
    }

    /** Counts the files that are there. */
    void countAll(List<LiveFile> files) {
        Map<SessionRange, Integer> fresh = new HashMap<>();
        for (LiveFile file : files) {
            if (isSmall(file)) {
                fresh.merge(file.session(), 1, Integer::sum);
            }
        }
        synchronized (this) {
            counts = fresh;
        }
    }

    /** Counts a file that was written. */
    synchronized void add(SessionRange range, long fileBytes) {
        writtenBytes += fileBytes;
        if (fileBytes < settings.smallFileBytes()) {
            counts.merge(range, 1, Integer::sum);
        }
    }

    /** Forgets a session that is dropped whole. */
    synchronized void remove(SessionRange range) {
        counts.remove(range);
    }

    /**
     * Merges small files of the session that lie one behind the other, if there are as many as the settings say, the
     * price is in bounds, and the disk has room.
     *
     * @return bytes of the files that were merged
     */
    long merge(SessionRange range) throws RocksDBException {
        int files = liveFiles.count();
        if (!isWorthListing(range, files)) {
            return 0;
        }
        List<LiveFile> all = liveFiles.list();
        countAll(all);
        List<LiveFile> merged = longestRun(all, range);
        long bytes = merged.stream().mapToLong(LiveFile::bytes).sum();
        if (merged.size() < settings.runLengthMin() || !directory.hasSpaceFor(bytes)) {
            return 0;
        }
        List<String> names = merged.stream().map(LiveFile::name).toList();
        db.compactFiles(options, family, names, liveFiles.bottomLevel(), -1, null);
        synchronized (this) {
            counts.merge(range, 1 - merged.size(), Integer::sum);
            mergedBytes += bytes;
        }
        return bytes;
    }

    @Override
    public void close() {
        options.close();
    }

    private synchronized boolean isWorthListing(SessionRange range, int files) {
        boolean many = counts.getOrDefault(range, 0) >= settings.runLengthMin();
        boolean cheap = mergedBytes <= settings.costRatioMax() * writtenBytes;
        boolean stale = counts.size() > files + STALE_SESSIONS_MAX;
        return stale || many && files >= settings.filesMin() && (cheap || files >= settings.filesMax());
    }

    /** Only neighbours: a large file between two small ones would be written again with them. */
    private List<LiveFile> longestRun(List<LiveFile> all, SessionRange range) {
        List<LiveFile> longest = List.of();
        List<LiveFile> current = new ArrayList<>();
        for (LiveFile file : all) {
            boolean small = isSmall(file) && file.session().equals(range);
            if (!small || current.size() == MERGED_FILES_MAX) {
                current = new ArrayList<>();
            }
            if (small) {
                current.add(file);
                longest = current.size() > longest.size() ? current : longest;
            }
        }
        return longest;
    }

    /** Files above the bottom level are on their way down by themselves. */
    private boolean isSmall(LiveFile file) {
        return file.level() == liveFiles.bottomLevel()
                && file.bytes() < settings.smallFileBytes()
                && file.isOfOneSession();
    }
}
