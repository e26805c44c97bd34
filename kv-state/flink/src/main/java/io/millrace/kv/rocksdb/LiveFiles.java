package io.millrace.kv.rocksdb;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * The files of the state's column family: how many there are, and what each holds. The caller keeps the database alive.
 */
final class LiveFiles {
    private final RocksDB db;
    private final ColumnFamilyHandle family;
    private final byte[] familyName;
    private final int levels;

    LiveFiles(RocksDB db, ColumnFamilyHandle family) throws RocksDBException {
        this.db = db;
        this.family = family;
        familyName = family.getName();
        levels = db.numberLevels(family);
    }

    /** One file. */
    record LiveFile(String name, int level, long bytes, byte[] smallestKey, byte[] largestKey) {
        /** The session whose values these are, if they are all of one session. */
        SessionRange session() {
            return SessionRange.ofKey(smallestKey);
        }

        boolean isOfOneSession() {
            return smallestKey.length > Long.BYTES && session().contains(largestKey);
        }
    }

    /** The level that is never compacted any further. */
    int bottomLevel() {
        return levels - 1;
    }

    /** Number of files; does not look at each. */
    int count() throws RocksDBException {
        int count = 0;
        for (int level = 0; level < levels; level++) {
            count += Integer.parseInt(db.getProperty(family, "rocksdb.num-files-at-level" + level));
        }
        return count;
    }

    /** All files in the order of their smallest keys. Takes a time that grows with the files of the whole database. */
    List<LiveFile> list() {
        return db.getLiveFilesMetaData().stream()
                .filter(file -> Arrays.equals(file.columnFamilyName(), familyName))
                .map(LiveFiles::liveFile)
                .sorted(Comparator.comparing(LiveFile::smallestKey, Arrays::compareUnsigned))
                .toList();
    }

    private static LiveFile liveFile(LiveFileMetaData file) {
        return new LiveFile(file.fileName(), file.level(), file.size(), file.smallestKey(), file.largestKey());
    }
}
