package io.millrace.kv.rocksdb;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where files are written before the database takes them: on its volume, so that it need not copy them. */
final class IngestDirectory {
    private static final Logger LOG = LoggerFactory.getLogger(IngestDirectory.class);

    private final Path directory;
    private final FileStore volume;
    private final long minFreeBytes;
    private final AtomicLong fileCount = new AtomicLong();

    /** Makes the directory, or clears it of what an earlier attempt has left. */
    IngestDirectory(Path directory, long minFreeBytes) throws IOException {
        this.directory = Files.createDirectories(directory);
        this.minFreeBytes = minFreeBytes;
        volume = Files.getFileStore(directory);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                delete(file);
            }
        }
    }

    Path path() {
        return directory;
    }

    /** The name of a file that is not there. */
    Path newFile() {
        return directory.resolve(fileCount.getAndIncrement() + ".sst");
    }

    /**
     * Checks that after a write there is still as much space as must be left for everything else: RocksDB stops the
     * whole job where it cannot write its own files any more.
     *
     * @throws IOException saying how much there is, and how much is wanted
     */
    void checkSpaceFor(long bytes) throws IOException {
        long usableBytes = volume.getUsableSpace();
        if (usableBytes - bytes < minFreeBytes) {
            throw new IOException("no room for " + bytes + " bytes of blocks in " + directory + ": the volume has "
                    + usableBytes + " bytes, and " + minFreeBytes + " of them must stay free");
        }
    }

    /** Whether {@link #checkSpaceFor} would pass. */
    boolean hasSpaceFor(long bytes) {
        try {
            return volume.getUsableSpace() - bytes >= minFreeBytes;
        } catch (IOException e) {
            return false;
        }
    }

    /** Deletes a file if it is there. */
    void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn("a file of blocks that was not taken stays at {}", file, e);
        }
    }
}
