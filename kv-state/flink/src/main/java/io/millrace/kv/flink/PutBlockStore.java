package io.millrace.kv.flink;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.api.common.state.MapState;
import org.jspecify.annotations.Nullable;

/**
 * Blocks by plain {@code put} and {@code get} of keyed state, for every state backend that is not RocksDB. A value is
 * an array in the heap on its way, and where the backend serializes, putting and getting cost the task thread a copy of
 * each value.
 */
public final class PutBlockStore implements BlockStore {
    /** In place of a value that was not fetched, because the reader has enough. */
    private static final byte[] NOT_FETCHED = {};

    private final MapState<Long, byte[]> blocks;
    private final long readerBytesMax;
    private final AtomicLong writtenBytes = new AtomicLong();
    private final AtomicLong readBytes = new AtomicLong();

    /**
     * A store in a state.
     *
     * @param readerBytesMax bytes of values that one reader may have in the heap, if {@code get} makes a copy: reading
     *     what is above is an error
     */
    public PutBlockStore(MapState<Long, byte[]> blocks, long readerBytesMax) {
        this.blocks = requireNonNull(blocks, "blocks");
        this.readerBytesMax = readerBytesMax;
    }

    @Override
    public boolean writesBesideTheTask() {
        return false;
    }

    @Override
    public Place place() {
        return CurrentKey.PLACE;
    }

    @Override
    public WrittenRun write(Place place, long firstKey, List<ByteBuffer> values) {
        List<byte[]> copies = new ArrayList<>(values.size());
        for (ByteBuffer value : values) {
            byte[] copy = new byte[value.remaining()];
            value.get(value.position(), copy);
            copies.add(copy);
        }
        return new HeapRun(firstKey, copies);
    }

    @Override
    public int valuePrefixBytes() {
        return 0;
    }

    @Override
    public void commit(WrittenRun run) throws Exception {
        HeapRun heapRun = (HeapRun) run;
        for (int i = 0; i < heapRun.values.size(); i++) {
            byte[] value = heapRun.values.get(i);
            blocks.put(heapRun.firstKey + i, value);
            writtenBytes.addAndGet(value.length);
        }
    }

    @Override
    public Reader reader(Place place, long[] keys) throws Exception {
        List<byte @Nullable []> values = new ArrayList<>(keys.length);
        long bytes = 0;
        for (long key : keys) {
            byte[] value = bytes < readerBytesMax ? blocks.get(key) : NOT_FETCHED;
            bytes += value == null ? 0 : value.length;
            values.add(value);
        }
        return (index, buffer) -> read(values.get(index), buffer);
    }

    @Override
    public void drop(Place place, long firstKey, int count) throws Exception {
        for (int i = 0; i < count; i++) {
            blocks.remove(firstKey + i);
        }
    }

    @Override
    public void dropAll(Place place) throws Exception {
        blocks.clear();
    }

    @Override
    public long mergeSmallFiles(Place place) {
        return 0;
    }

    /** Nothing is written before it is committed, so there is nothing that nobody knows. */
    @Override
    public int dropUnknown(KnownValues known) {
        return 0;
    }

    @Override
    public Stats stats() {
        return new Stats("put", null, writtenBytes.get(), 0, readBytes.get(), 0);
    }

    @Override
    public void close() {}

    private boolean read(byte @Nullable [] value, ByteBuffer buffer) throws IOException {
        if (value == null) {
            return false;
        }
        if (value == NOT_FETCHED) {
            throw new IOException("one reader has at most " + readerBytesMax + " bytes of blocks in the heap");
        }
        if (buffer.remaining() < value.length) {
            throw new IOException("a value of " + value.length + " bytes does not fit into " + buffer.remaining());
        }
        buffer.put(value);
        readBytes.addAndGet(value.length);
        return true;
    }

    private enum CurrentKey implements Place {
        PLACE
    }

    private record HeapRun(long firstKey, List<byte[]> values) implements WrittenRun {}
}
