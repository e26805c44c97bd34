package io.millrace.kv.rocksdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.flink.BlockStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.runtime.checkpoint.CheckpointType;
import org.apache.flink.runtime.state.storage.FileSystemCheckpointStorage;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.io.TempDir;

/** Writes, reads, merges, drops and checkpoints at the same time, and the end of the task in the middle of them. */
class BlockStoreConcurrencyTest {
    private static final int SESSIONS = 6;

    @TempDir
    private Path directory;

    private final ConcurrentLinkedQueue<Written> written = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final AtomicInteger reads = new AtomicInteger();
    private volatile boolean ending;

    private record Written(int session, long key) {}

    @RepeatedTest(2)
    void nothingWrongIsReadAndNothingCrashes() throws Exception {
        TestingBlockTask task = start();
        List<BlockStore.Place> places = new ArrayList<>();
        for (int session = 0; session < SESSIONS; session++) {
            places.add(task.place("s" + session));
        }
        List<Thread> threads = List.of(
                new Thread(() -> write(task, places)),
                new Thread(() -> read(task, places, 1)),
                new Thread(() -> read(task, places, 2)));
        threads.forEach(Thread::start);
        Random random = new Random(3);
        for (int checkpoint = 0; checkpoint < 12; checkpoint++) {
            for (int i = 0; i < 5; i++) {
                int session = random.nextInt(SESSIONS);
                if (random.nextInt(3) == 0) {
                    task.store().dropAll(places.get(session));
                }
                Thread.sleep(2);
            }
            assertThat(task.snapshot(CheckpointType.CHECKPOINT)).isNotNull();
        }
        // The task ends while all of them are at it: they get an error, and the process lives.
        ending = true;
        task.close();
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failures).isEmpty();
        assertThat(written).isNotEmpty();
        assertThat(reads.get()).isPositive();
    }

    private void write(TestingBlockTask task, List<BlockStore.Place> places) {
        Random random = new Random(4);
        long key = 0;
        ByteBuffer value = task.newBuffer();
        try {
            while (true) {
                int session = random.nextInt(SESSIONS);
                BlockValue.content(value).putLong(0, key);
                BlockValue.encodeHeader(hash(session, key), value);
                task.store().write(places.get(session), key, List.of(value));
                written.add(new Written(session, key));
                key++;
                task.store().mergeSmallFiles(places.get(session));
            }
        } catch (Throwable e) {
            expectEnd(e);
        }
    }

    private void read(TestingBlockTask task, List<BlockStore.Place> places, long seed) {
        Random random = new Random(seed);
        ByteBuffer buffer = task.newBuffer();
        try {
            while (true) {
                for (Written block : written) {
                    BlockStore.Reader reader = task.store().reader(places.get(block.session), new long[] {block.key});
                    buffer.clear().position(BlockValue.PREFIX_ROOM_BYTES);
                    if (random.nextInt(4) == 0 && reader.read(0, buffer)) {
                        buffer.flip().position(BlockValue.PREFIX_ROOM_BYTES);
                        assertThat(BlockValue.check(hash(block.session, block.key), buffer))
                                .isEqualTo(BlockValue.Check.OK);
                        reads.incrementAndGet();
                    }
                }
                // Without a block there would be no read, and so no end.
                task.store()
                        .reader(places.get(0), new long[] {1L << 50})
                        .read(0, buffer.clear().position(5));
            }
        } catch (Throwable e) {
            expectEnd(e);
        }
    }

    private void expectEnd(Throwable e) {
        if (!ending || !(e instanceof IOException)) {
            failures.add(e);
        }
    }

    private TestingBlockTask start() throws Exception {
        EmbeddedRocksDBStateBackend rocks = new EmbeddedRocksDBStateBackend(true);
        rocks.setDbStoragePath(directory.resolve("rocks").toString());
        String checkpoints = directory.resolve("checkpoints").toUri().toString();
        TestingBlockTask.Options options =
                new TestingBlockTask.Options(rocks, new FileSystemCheckpointStorage(checkpoints));
        options.contentBytes = 20_000;
        options.settings = options.settings.withMerging(new BlockStoreSettings.Merging(1 << 20, 4, 0, 0, 0));
        return new TestingBlockTask(options, null);
    }

    private static BlockHash hash(int session, long key) {
        return new BlockHash(session, key, 3, 4);
    }
}
