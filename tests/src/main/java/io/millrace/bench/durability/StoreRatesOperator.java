package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import com.sun.nio.file.ExtendedOpenOption;
import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.rocksdb.BlockStoreSettings;
import io.millrace.kv.rocksdb.BlockStores;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.LongStream;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.jspecify.annotations.Nullable;

/**
 * Writes and reads blocks through the store of Decode's state, in a task and its state backend, and the same bytes
 * through a plain file. What it measured is found by name.
 */
final class StoreRatesOperator extends AbstractStreamOperator<Long> implements OneInputStreamOperator<Long, Long> {
    private static final long serialVersionUID = 1L;
    private static final Map<String, Rates> RESULTS = new ConcurrentHashMap<>();
    private static final int PREFIX_BYTES_MAX = 64;

    private final String name;
    private final Sizes sizes;
    private final String plainFile;

    private transient @Nullable BlockStore store;

    /**
     * How much is moved.
     *
     * @param runs that count; one more is made before
     * @param blocks of a run
     * @param valueBytes of a block's value
     */
    record Sizes(int runs, int blocks, int valueBytes) implements java.io.Serializable {
        /** Bytes of a run. */
        long runBytes() {
            return (long) blocks * valueBytes;
        }
    }

    /** MB/s of each run, of the store and of the file. */
    record Pair(List<Double> store, List<Double> file) {
        Pair() {
            this(new ArrayList<>(), new ArrayList<>());
        }
    }

    /**
     * What was measured.
     *
     * @param store its kind
     * @param write new blocks, until they are on the disk
     * @param diskRead from the disk: RocksDB's writer of files drops what it wrote from the system's cache, and the
     *     plain file is read past that cache
     * @param cachedRead the same once more, from the system's cache
     */
    record Rates(String store, Pair write, Pair diskRead, Pair cachedRead) {
        Rates(String store) {
            this(store, new Pair(), new Pair(), new Pair());
        }
    }

    /** Something whose time is taken. */
    @FunctionalInterface
    private interface Work {
        void run() throws Exception;
    }

    /**
     * An operator that measures once for each record.
     *
     * @param plainFile on the disk that the state backend writes to
     */
    StoreRatesOperator(String name, Sizes sizes, Path plainFile) {
        this.name = requireNonNull(name, "name");
        this.sizes = requireNonNull(sizes, "sizes");
        this.plainFile = plainFile.toString();
    }

    /** Takes what the operator of this name measured. */
    static Rates take(String name) {
        return requireNonNull(RESULTS.remove(name), "the rates of " + name);
    }

    @Override
    public void open() throws Exception {
        super.open();
        store = BlockStores.open(getKeyedStateBackend(), BlockStoreSettings.defaults(), name);
    }

    @Override
    public void processElement(StreamRecord<Long> element) throws Exception {
        BlockStore opened = requireNonNull(store, "store");
        Rates rates = new Rates(opened.stats().kind());
        List<ByteBuffer> values = values();
        ByteBuffer buffer = direct();
        ByteBuffer aligned = aligned();
        for (int run = 0; run <= sizes.runs(); run++) {
            long firstKey = (long) run * sizes.blocks();
            boolean count = run > 0;
            Pair ignored = new Pair();
            boolean storeFirst = run % 2 == 0;
            Work storeRead = () -> readFromStore(opened, firstKey, buffer);
            measure(
                    storeFirst,
                    count ? rates.write() : ignored,
                    () -> writeToStore(opened, firstKey, values),
                    () -> writeToFile(values));
            measure(storeFirst, count ? rates.diskRead() : ignored, storeRead, () -> readFromDisk(aligned));
            // What was read past the cache is not in it yet.
            readFromFile(buffer);
            measure(storeFirst, count ? rates.cachedRead() : ignored, storeRead, () -> readFromFile(buffer));
        }
        Files.delete(Path.of(plainFile));
        RESULTS.put(name, rates);
    }

    private void measure(boolean storeFirst, Pair rates, Work store, Work file) throws Exception {
        for (int turn = 0; turn < 2; turn++) {
            boolean isStore = storeFirst == (turn == 0);
            long begin = System.nanoTime();
            (isStore ? store : file).run();
            double megabytesPerSecond = sizes.runBytes() / 1e6 / ((System.nanoTime() - begin) / 1e9);
            (isStore ? rates.store() : rates.file()).add(megabytesPerSecond);
        }
    }

    private static void writeToStore(BlockStore store, long firstKey, List<ByteBuffer> values) throws Exception {
        store.commit(store.write(store.place(), firstKey, values));
    }

    private void writeToFile(List<ByteBuffer> values) throws IOException {
        Path file = Path.of(plainFile);
        // A new file, as the store's is.
        Files.deleteIfExists(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (ByteBuffer value : values) {
                ByteBuffer rest = value.duplicate();
                while (rest.hasRemaining()) {
                    channel.write(rest);
                }
            }
            channel.force(true);
        }
    }

    private void readFromStore(BlockStore store, long firstKey, ByteBuffer buffer) throws Exception {
        long[] keys = LongStream.range(firstKey, firstKey + sizes.blocks()).toArray();
        BlockStore.Reader reader = store.reader(store.place(), keys);
        for (int index = 0; index < keys.length; index++) {
            buffer.position(PREFIX_BYTES_MAX);
            if (!reader.read(index, buffer) || buffer.position() != PREFIX_BYTES_MAX + sizes.valueBytes()) {
                throw new IllegalStateException("block " + index + " was not read back whole");
            }
        }
    }

    private void readFromFile(ByteBuffer buffer) throws IOException {
        try (FileChannel channel = FileChannel.open(Path.of(plainFile), StandardOpenOption.READ)) {
            for (int index = 0; index < sizes.blocks(); index++) {
                buffer.position(PREFIX_BYTES_MAX);
                while (buffer.hasRemaining()) {
                    if (channel.read(buffer) < 0) {
                        throw new IOException("the plain file is too short");
                    }
                }
            }
        }
    }

    private void readFromDisk(ByteBuffer aligned) throws IOException {
        try (FileChannel channel =
                FileChannel.open(Path.of(plainFile), StandardOpenOption.READ, ExtendedOpenOption.DIRECT)) {
            long bytes = 0;
            int read = 0;
            // No read may begin at the end, which is no multiple of what the disk reads.
            while (read >= 0 && bytes < sizes.runBytes()) {
                read = channel.read(aligned.position(0));
                bytes += Math.max(0, read);
            }
            if (bytes != sizes.runBytes()) {
                throw new IOException("the plain file has " + bytes + " bytes and not " + sizes.runBytes());
            }
        }
    }

    /** A buffer for about a block that the disk can write to. */
    private ByteBuffer aligned() throws IOException {
        int unit = (int) Files.getFileStore(Path.of(plainFile).toAbsolutePath().getParent())
                .getBlockSize();
        int bytes = (sizes.valueBytes() + unit - 1) / unit * unit;
        return ByteBuffer.allocateDirect(bytes + unit).alignedSlice(unit).limit(bytes);
    }

    private List<ByteBuffer> values() {
        SplittableRandom random = new SplittableRandom(1);
        List<ByteBuffer> values = new ArrayList<>();
        for (int index = 0; index < sizes.blocks(); index++) {
            ByteBuffer value = direct();
            while (value.remaining() >= Long.BYTES) {
                value.putLong(random.nextLong());
            }
            values.add(value.position(PREFIX_BYTES_MAX));
        }
        return values;
    }

    private ByteBuffer direct() {
        return ByteBuffer.allocateDirect(PREFIX_BYTES_MAX + sizes.valueBytes())
                .order(ByteOrder.nativeOrder())
                .position(PREFIX_BYTES_MAX);
    }

    @Override
    public void close() throws Exception {
        if (store != null) {
            store.close();
        }
        super.close();
    }
}
