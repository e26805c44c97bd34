package io.millrace.operators.tiers;

import static io.millrace.operators.tiers.TestingDevice.CONTENT_BYTES;
import static io.millrace.operators.tiers.TestingDevice.content;
import static io.millrace.operators.tiers.TestingDevice.hash;
import static io.millrace.operators.tiers.TestingDevice.hashes;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.kv.host.HostSlot;
import io.millrace.kv.host.HostTier;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BlockLoaderTest {
    private static final SessionPlacement SESSION = SessionPlacement.bySessionId("s");

    private final TestingTaskThread task = new TestingTaskThread();
    private final TestingBlockStore store = new TestingBlockStore(task);
    private final TierCounters counters = new TierCounters();
    private final JobThread thread = new JobThread(16);
    private final HostTier host = SaveQueueTest.host(3);
    private final AtomicLong nanos = new AtomicLong();
    private final StoredSession session = new StoredSession();
    private final BlockLoader loader =
            new BlockLoader(host, CONTENT_BYTES, thread, task, () -> nanos.addAndGet(1000), counters);

    @AfterEach
    void nothingIsLeft() {
        assertThat(loader.queuedHostBytes()).isZero();
        assertThat(loader.queuedStateBytes()).isZero();
        assertThat(host.stats().pinnedSlots()).isZero();
        host.checkIntegrity();
        host.close();
    }

    @Test
    void blocksComeFromHostAndState() throws Exception {
        inHost(1);
        session.inState(hashes(0, 5));
        TestingDevice.Target target = load(0, 5);
        assertThat(target.done()).isEqualTo(5);
        assertContents(target, hashes(0, 5));
        assertThat(counters.promotedFromHostBlocks.sum()).isEqualTo(1);
        assertThat(counters.promotedFromStateBlocks.sum()).isEqualTo(4);
        // HOST had room for two more, and keeps them; nothing that it had went.
        assertThat(hashes(0, 3)).allMatch(host::contains);
        assertThat(loader.isInHost(hash(3))).isFalse();
        assertThat(loader.loadSeconds().getCount()).isEqualTo(1);
        assertThat(loader.stateBytesPerSecond()).isEqualTo(CONTENT_BYTES * 1e6);
    }

    @Test
    void damagedValueEndsItsLoad() throws Exception {
        session.inState(hashes(0, 6));
        byte[] value = store.values(SESSION).get(session.keys.get(hash(3)));
        for (int at = 0; at < value.length; at++) {
            byte before = value[at];
            value[at] ^= 1;
            TestingDevice.Target target = load(0, 6);
            assertThat(target.done()).as("a wrong bit in byte %s", at).isEqualTo(3);
            assertContents(target, hashes(0, 3));
            value[at] = before;
        }
        assertThat(session.damaged).hasSize(value.length).containsOnly(hash(3));
        assertThat(load(0, 6).done()).isEqualTo(6);
    }

    @Test
    void valueOfAnotherBlockOrSizeIsNoValue() throws Exception {
        session.inState(hashes(0, 4));
        Map<Long, byte[]> values = store.values(SESSION);
        byte[] good = values.get(1L);
        values.put(1L, values.get(2L));
        assertThat(load(0, 4).done()).isEqualTo(1);
        values.put(1L, Arrays.copyOf(good, good.length - 1));
        assertThat(load(0, 4).done()).isEqualTo(1);
        values.remove(1L);
        assertThat(load(0, 4).done()).isEqualTo(1);
        assertThat(session.damaged).hasSize(3).containsOnly(hash(1));
    }

    @Test
    void unreadableStoreEndsTheLoadAndDropsNothing() throws Exception {
        session.inState(hashes(0, 2));
        store.failToRead(true);
        assertThat(load(0, 2).done()).isZero();
        assertThat(session.damaged).isEmpty();
        assertThat(counters.storeErrors.sum()).isEqualTo(1);
        session.readerFails = true;
        assertThat(load(0, 2).done()).isZero();
        assertThat(counters.storeErrors.sum()).isEqualTo(2);
    }

    @Test
    void hostMayLoseABlockMeanwhile() throws Exception {
        inHost(0);
        inHost(1);
        TestingDevice.Target target = TestingDevice.target(2);
        loader.load(session, hashes(0, 2), target);
        host.forget(hash(1));
        runAll();
        assertThat(target.done()).isEqualTo(1);
    }

    @Test
    void loadThatNobodyWantsEnds() throws Exception {
        session.inState(hashes(0, 2));
        TestingDevice.Target target = TestingDevice.target(2);
        target.unwanted();
        loader.load(session, hashes(0, 2), target);
        runAll();
        assertThat(target.done()).isZero();
        assertThat(target.written()).isEmpty();
    }

    @Test
    void everyLoadEndsWhenTheTaskDoes() throws Exception {
        session.inState(hashes(0, 2));
        TestingDevice.Target waitsForMail = TestingDevice.target(2);
        loader.load(session, hashes(0, 2), waitsForMail);
        inHost(7);
        TestingDevice.Target waitsForThread = TestingDevice.target(1);
        loader.load(session, hashes(7, 8), waitsForThread);
        thread.close();
        loader.close();
        assertThat(waitsForMail.done()).isZero();
        assertThat(waitsForThread.done()).isZero();
        TestingDevice.Target late = TestingDevice.target(1);
        loader.load(session, hashes(7, 8), late);
        assertThat(late.done()).isZero();
        assertThat(loader.hasRoom()).isFalse();
    }

    @Test
    void blocksAreBroughtAheadAsFarAsThereIsRoom() throws Exception {
        inHost(9);
        session.inState(hashes(0, 5));
        List<String> done = new ArrayList<>();
        loader.prefetch(session, hashes(0, 5), () -> done.add("done"));
        inHostLater();
        runAll();
        assertThat(done).containsExactly("done");
        assertThat(hashes(0, 2)).allMatch(host::contains);
        assertThat(host.contains(hash(9))).isTrue();
        assertThat(counters.prefetchedBlocks.sum()).isEqualTo(2);
    }

    /** A load that comes first. */
    private void inHostLater() {
        TestingDevice.Target target = TestingDevice.target(1);
        loader.load(session, hashes(9, 10), target);
    }

    private TestingDevice.Target load(long from, long to) throws Exception {
        TestingDevice.Target target = TestingDevice.target((int) (to - from));
        loader.load(session, hashes(from, to), target);
        runAll();
        return target;
    }

    private void inHost(long n) {
        try (HostSlot slot = host.reserve(hash(n))) {
            slot.content().put(content(hash(n)));
            slot.publish();
        }
    }

    private void runAll() throws Exception {
        while (task.runOne() || thread.doOne()) {
            // they did it
        }
    }

    private static void assertContents(TestingDevice.Target target, List<BlockHash> expected) {
        assertThat(target.written()).hasSize(expected.size());
        for (int i = 0; i < expected.size(); i++) {
            assertThat(target.written().get(i)).isEqualTo(content(expected.get(i)));
        }
    }

    /** A session with the key n for the n-th block that it has in the store. */
    private final class StoredSession implements BlockLoader.Session {
        private final Map<BlockHash, Long> keys = new HashMap<>();
        private final List<BlockHash> damaged = new ArrayList<>();
        private boolean readerFails;

        void inState(List<BlockHash> hashes) {
            for (BlockHash hash : hashes) {
                byte[] value = new byte[BlockValue.valueBytes(CONTENT_BYTES)];
                System.arraycopy(content(hash), 0, value, BlockValue.HEADER_BYTES, CONTENT_BYTES);
                BlockValue.encodeHeader(hash, ByteBuffer.wrap(value));
                long key = keys.size();
                keys.put(hash, key);
                store.values(SESSION).put(key, value);
            }
        }

        @Override
        public @Nullable Long keyOf(BlockHash hash) {
            return keys.get(hash);
        }

        @Override
        public BlockStore.Reader reader(long[] wanted) throws Exception {
            if (readerFails) {
                throw new IllegalStateException("no reader");
            }
            task.setCurrentKey(SESSION);
            return store.reader(store.place(), wanted);
        }

        @Override
        public void damaged(BlockHash hash, long key, String what) {
            assertThat(key).isEqualTo(keys.get(hash));
            damaged.add(hash);
        }
    }
}
