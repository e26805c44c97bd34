package io.millrace.kv.rocksdb;

import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.rocksdb.LiveFiles.LiveFile;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Blocks in the RocksDB state of the operator, written as sorted files that the database takes as they are. To Flink
 * they are entries of a map state like any other, in checkpoints, savepoints and when it rescales. Everything that
 * grows with the size of blocks happens beside the task thread: a commit is then nothing at all.
 *
 * @param <K> the operator's key
 */
final class RocksBlockStore<K> implements BlockStore {
    private static final Logger LOG = LoggerFactory.getLogger(RocksBlockStore.class);

    private final SessionRanges<K> ranges;
    private final IngestDirectory directory;
    private final BlockFiles files;
    private final LiveFiles liveFiles;
    private final SmallFiles smallFiles;
    private final DatabaseUsers users;
    private final ExecutorService drops;

    /**
     * Sessions that are to be dropped whole and are not yet. Whoever writes to such a session drops it first, because
     * its range would take the new blocks along.
     */
    private final ConcurrentMap<SessionRange, FutureTask<Void>> pendingDrops = new ConcurrentHashMap<>();

    /** A merge and a drop exclude each other. */
    private final ReentrantLock structure = new ReentrantLock();

    private final AtomicLong writtenBytes = new AtomicLong();
    private final AtomicLong mergedBytes = new AtomicLong();
    private final AtomicLong readBytes = new AtomicLong();

    /**
     * A store in a backend's state.
     *
     * @param drops one thread with a bounded queue, which belongs to the store from now on; where it refuses, the task
     *     thread drops by itself
     */
    RocksBlockStore(RocksBackend<K> backend, BlockStoreSettings settings, ExecutorService drops)
            throws IOException, RocksDBException {
        ranges = new SessionRanges<>(backend.backend());
        directory = new IngestDirectory(
                backend.directory().toPath().resolve("millrace-blocks"), settings.minFreeDiskBytes());
        files = new BlockFiles(backend.db(), backend.family(), directory);
        liveFiles = new LiveFiles(backend.db(), backend.family());
        smallFiles = new SmallFiles(backend.db(), backend.family(), liveFiles, directory, settings.merging());
        smallFiles.countAll(liveFiles.list());
        users = new DatabaseUsers(backend.guard());
        this.drops = drops;
    }

    @Override
    public boolean writesBesideTheTask() {
        return true;
    }

    @Override
    public Place place() {
        return ranges.ofCurrentKey();
    }

    @Override
    public int valuePrefixBytes() {
        return BlockFiles.VALUE_PREFIX_BYTES;
    }

    @Override
    public WrittenRun write(Place place, long firstKey, List<ByteBuffer> values) throws IOException {
        SessionRange range = (SessionRange) place;
        long bytes = 0;
        for (ByteBuffer value : values) {
            checkRoom(value);
            bytes += value.remaining();
        }
        if (firstKey < 0 || values.isEmpty()) {
            throw new IllegalArgumentException("no run of " + values.size() + " values from key " + firstKey);
        }
        FutureTask<Void> pendingDrop = pendingDrops.get(range);
        if (pendingDrop != null) {
            runAndWait(pendingDrop);
        }
        try (DatabaseUsers.Use use = users.enter()) {
            smallFiles.add(range, files.write(range, firstKey, values));
        }
        writtenBytes.addAndGet(bytes);
        return Ingested.RUN;
    }

    /** The database has had the values since they were written. */
    @Override
    public void commit(WrittenRun run) {}

    @Override
    public Reader reader(Place place, long[] keys) {
        SessionRange range = (SessionRange) place;
        ByteBuffer keyBuffer = range.newKeyBuffer();
        return (index, buffer) -> read(range.toKey(keys[index], keyBuffer), buffer);
    }

    @Override
    public void drop(Place place, long firstKey, int count) {
        SessionRange range = (SessionRange) place;
        dropLater(() -> drop(range.key(firstKey), range.key(firstKey + count)));
    }

    @Override
    public void dropAll(Place place) {
        SessionRange range = (SessionRange) place;
        smallFiles.remove(range);
        dropLater(pendingDrops.computeIfAbsent(range, this::dropTask));
    }

    @Override
    public long mergeSmallFiles(Place place) throws IOException {
        structure.lock();
        try (DatabaseUsers.Use use = users.enter()) {
            long bytes = smallFiles.merge((SessionRange) place);
            mergedBytes.addAndGet(bytes);
            return bytes;
        } catch (RocksDBException e) {
            throw new IOException("small files of blocks cannot be merged: " + e.getMessage(), e);
        } finally {
            structure.unlock();
        }
    }

    @Override
    public int dropUnknown(KnownValues known) throws Exception {
        int dropped = 0;
        long droppedBytes = 0;
        for (LiveFile file : liveFiles.list()) {
            if (!file.isOfOneSession()) {
                continue;
            }
            long firstKey = SessionRange.blockKey(file.smallestKey());
            long lastKey = SessionRange.blockKey(file.largestKey());
            K session = ranges.keyOf(file.session());
            if (!ranges.isOwn(session) || !known.isKnown(session, firstKey, lastKey)) {
                dropLater(() -> drop(file.smallestKey(), BlockFiles.behind(file.largestKey())));
                dropped++;
                droppedBytes += file.bytes();
            }
        }
        if (dropped > 0) {
            LOG.info("{} files of blocks ({} bytes) that nobody names are dropped", dropped, droppedBytes);
        }
        return dropped;
    }

    @Override
    public Stats stats() {
        return new Stats(
                "rocksdb",
                directory.path().toString(),
                writtenBytes.get(),
                mergedBytes.get(),
                readBytes.get(),
                liveFileCount());
    }

    /** Waits for everything that runs beside the task thread: at most one write, one read, one merge and one drop. */
    @Override
    public void close() {
        drops.shutdownNow();
        users.close();
        smallFiles.close();
        files.close();
    }

    private boolean read(ByteBuffer key, ByteBuffer buffer) throws IOException {
        checkRoom(buffer);
        int prefixBytes = BlockFiles.VALUE_PREFIX_BYTES;
        int valueAt = buffer.position();
        ByteBuffer stored = buffer.duplicate().position(valueAt - prefixBytes);
        int room = stored.remaining();
        int bytes;
        try (DatabaseUsers.Use use = users.enter()) {
            bytes = files.read(key, stored);
        }
        if (bytes < 0) {
            return false;
        }
        if (bytes > room) {
            throw new IOException(
                    "a value of " + (bytes - prefixBytes) + " bytes does not fit into " + (room - prefixBytes));
        }
        if (bytes < prefixBytes) {
            throw new IOException("a value of " + bytes + " bytes was not written by a map state");
        }
        buffer.position(valueAt - prefixBytes + bytes);
        readBytes.addAndGet(bytes - prefixBytes);
        return true;
    }

    private FutureTask<Void> dropTask(SessionRange range) {
        return new FutureTask<>(
                () -> {
                    drop(range.prefix(), range.end());
                    pendingDrops.remove(range);
                },
                null);
    }

    private void dropLater(Runnable drop) {
        try {
            drops.execute(drop);
        } catch (RejectedExecutionException e) {
            drop.run();
        }
    }

    private static void runAndWait(FutureTask<Void> task) throws IOException {
        task.run();
        try {
            task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while a session's old blocks were dropped");
        } catch (ExecutionException e) {
            throw new IOException("a session's old blocks cannot be dropped", e.getCause());
        }
    }

    private void drop(byte[] from, byte[] to) {
        structure.lock();
        try (DatabaseUsers.Use use = users.enter()) {
            files.drop(from, to);
        } catch (IOException e) {
            if (drops.isShutdown()) {
                return;
            }
            // They are in nobody's way, and go after the next restore.
            LOG.warn("blocks stay that are not wanted any more, from {}", Arrays.toString(from), e);
        } finally {
            structure.unlock();
        }
    }

    private long liveFileCount() {
        try (DatabaseUsers.Use use = users.enter()) {
            return liveFiles.count();
        } catch (IOException | RocksDBException e) {
            return 0;
        }
    }

    private static void checkRoom(ByteBuffer value) {
        if (!value.isDirect() || value.position() < BlockFiles.VALUE_PREFIX_BYTES) {
            throw new IllegalArgumentException("a value needs a direct buffer with " + BlockFiles.VALUE_PREFIX_BYTES
                    + " bytes of room before its position, not " + value);
        }
    }

    private enum Ingested implements WrittenRun {
        RUN
    }
}
