package io.millrace.kv.rocksdb;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.CompressionType;
import org.rocksdb.EnvOptions;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.SstFileWriter;
import org.rocksdb.WriteOptions;

/**
 * Writes blocks as sorted files of their own, which the database takes as they are, reads them, and drops whole files.
 * Files of sessions never overlap, so each lands in the bottom level and is never compacted.
 *
 * <p>Any thread may write, read or drop; the caller sees to it that the database lives.
 */
final class BlockFiles implements AutoCloseable {
    /** What Flink's map state puts before a value: whether it is null, and the array's length. */
    static final int VALUE_PREFIX_BYTES = 1 + Integer.BYTES;

    private final RocksDB db;
    private final ColumnFamilyHandle family;
    private final IngestDirectory directory;
    private final EnvOptions environment = new EnvOptions();
    // The bits of floats do not compress.
    private final Options options = new Options().setCompressionType(CompressionType.NO_COMPRESSION);
    private final IngestExternalFileOptions ingest =
            new IngestExternalFileOptions().setMoveFiles(true).setWriteGlobalSeqno(false);
    // Values have a checksum of their own, and would only push everything else out of the cache.
    private final ReadOptions read = new ReadOptions().setFillCache(false).setVerifyChecksums(false);
    private final WriteOptions dropWrites = new WriteOptions().setDisableWAL(true);

    BlockFiles(RocksDB db, ColumnFamilyHandle family, IngestDirectory directory) {
        this.db = db;
        this.family = family;
        this.directory = directory;
    }

    /**
     * Writes one file and gives it to the database.
     *
     * @return bytes of the file
     */
    long write(SessionRange range, long firstKey, List<ByteBuffer> values) throws IOException {
        long bytes = 0;
        for (ByteBuffer value : values) {
            bytes += value.remaining();
        }
        directory.checkSpaceFor(bytes);
        Path file = directory.newFile();
        try {
            long fileBytes = writeFile(file, range, firstKey, values);
            db.ingestExternalFile(family, List.of(file.toString()), ingest);
            return fileBytes;
        } catch (RocksDBException e) {
            throw new IOException(
                    values.size() + " blocks (" + bytes + " bytes) cannot be written in " + directory.path() + ": "
                            + e.getMessage(),
                    e);
        } finally {
            directory.delete(file);
        }
    }

    /**
     * Reads a value and what Flink puts before it.
     *
     * @param buffer gets the prefix from its position on, and then the value
     * @return bytes of the prefix and the value, however many fit; -1 if there is no such key
     */
    int read(ByteBuffer key, ByteBuffer buffer) throws IOException {
        try {
            int bytes = db.get(family, read, key, buffer);
            return bytes == RocksDB.NOT_FOUND ? -1 : bytes;
        } catch (RocksDBException e) {
            throw new IOException("a block cannot be read from RocksDB: " + e.getMessage(), e);
        }
    }

    /** Drops keys, the last one exclusive: whole files at once, and what is left by tombstones. */
    void drop(byte[] from, byte[] to) throws IOException {
        try {
            db.deleteFilesInRanges(family, List.of(from, to), false);
            try (RocksIterator left = db.newIterator(family, read)) {
                left.seek(from);
                if (!left.isValid() || compare(left.key(), to) >= 0) {
                    return;
                }
                byte[] first = left.key();
                left.seekForPrev(to);
                // Not all of the range: later blocks of the session must not lie under a tombstone that is in memory.
                byte[] behindLast = behind(left.key());
                db.deleteRange(family, dropWrites, first, compare(behindLast, to) < 0 ? behindLast : to);
            }
        } catch (RocksDBException e) {
            throw new IOException("blocks cannot be dropped from RocksDB: " + e.getMessage(), e);
        }
    }

    /** The first key behind this one. */
    static byte[] behind(byte[] key) {
        return Arrays.copyOf(key, key.length + 1);
    }

    @Override
    public void close() {
        dropWrites.close();
        read.close();
        ingest.close();
        options.close();
        environment.close();
    }

    private long writeFile(Path file, SessionRange range, long firstKey, List<ByteBuffer> values)
            throws RocksDBException {
        ByteBuffer key = range.newKeyBuffer();
        try (SstFileWriter writer = new SstFileWriter(environment, options)) {
            writer.open(file.toString());
            for (int i = 0; i < values.size(); i++) {
                writer.put(range.toKey(firstKey + i, key), withPrefix(values.get(i)));
            }
            writer.finish();
            return writer.fileSize();
        }
    }

    private static ByteBuffer withPrefix(ByteBuffer value) {
        int bytes = value.remaining();
        int from = value.position() - VALUE_PREFIX_BYTES;
        ByteBuffer stored = value.duplicate().order(ByteOrder.BIG_ENDIAN).position(from);
        return stored.put(from, (byte) 0).putInt(from + 1, bytes);
    }

    private static int compare(byte[] left, byte[] right) {
        return Arrays.compareUnsigned(left, right);
    }
}
