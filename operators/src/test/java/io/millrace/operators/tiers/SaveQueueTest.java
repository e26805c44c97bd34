package io.millrace.operators.tiers;

import static io.millrace.operators.tiers.TestingDevice.hash;
import static io.millrace.operators.tiers.TestingDevice.hashes;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.LeastRecentlyUsedRetention;
import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.kv.host.HostRegion;
import io.millrace.kv.host.HostTier;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SaveQueueTest {
    private static final int RUN_BLOCKS = 4;
    private static final int BUFFERS = 2;

    private final TestingTaskThread task = new TestingTaskThread();
    private final TestingDevice device = new TestingDevice();
    private final TestingBlockStore store = new TestingBlockStore(task);
    private final TierCounters counters = new TierCounters();
    private final JobThread thread = new JobThread(16);
    private final LiveSession session = new LiveSession(SessionPlacement.bySessionId("s"));
    private final List<SaveResult> results = new ArrayList<>();

    @AfterEach
    void everyHoldWasClosed() {
        assertThat(device.holds()).isZero();
        assertThat(session.queued()).isEmpty();
    }

    @Test
    void blocksAreWrittenInRuns() throws Exception {
        SaveQueue queue = queue(null, store);
        device.add(hashes(0, 5));
        queue.add(session, hashes(0, 5));
        assertThat(queue.waitingBlocks()).isEqualTo(5);
        assertThat(session.isAccountedFor(hash(4))).isTrue();
        runAll();
        assertThat(queue.waitingBlocks()).isZero();
        // Two buffers, so of four blocks of a run two are left to another one.
        assertThat(results).extracting(result -> result.written().size()).containsExactlyInAnyOrder(2, 2, 1);
        assertThat(stored()).containsExactlyInAnyOrderElementsOf(hashes(0, 5));
    }

    @Test
    void hostKeepsWhatIsWritten() throws Exception {
        HostTier host = host(8);
        SaveQueue queue = queue(host, store);
        device.add(hashes(0, 6));
        queue.add(session, hashes(0, 6));
        runAll();
        assertThat(results).extracting(result -> result.written().size()).containsExactly(4, 2);
        assertThat(hashes(0, 6)).allMatch(host::contains);
        // What the device has lost is written from where HOST has it.
        device.clear();
        results.clear();
        queue.add(new LiveSession(SessionPlacement.bySessionId("t")), hashes(2, 5));
        runAll();
        assertThat(results).extracting(SaveResult::written).containsExactly(hashes(2, 5));
        host.checkIntegrity();
        assertThat(host.stats().pinnedSlots()).isZero();
        host.close();
    }

    @Test
    void hostAloneKeepsBlocks() throws Exception {
        HostTier host = host(8);
        SaveQueue queue = queue(host, null);
        device.add(hashes(0, 3));
        queue.add(session, hashes(0, 3));
        runAll();
        assertThat(hashes(0, 3)).allMatch(host::contains);
        assertThat(results).extracting(SaveResult::run).containsOnlyNulls();
        host.close();
    }

    @Test
    void sharedBlocksAreNamedOnly() throws Exception {
        device.add(hashes(0, 4));
        device.share(hash(0));
        device.share(hash(1));
        HostTier host = host(1);
        SaveQueue queue = queue(host, store);
        queue.add(session, hashes(0, 4));
        runAll();
        assertThat(stored()).containsExactlyInAnyOrderElementsOf(hashes(2, 4));
        assertThat(results.get(0).shared()).isEqualTo(hashes(0, 2));
        host.close();
    }

    @Test
    void blocksThatTheDeviceLostAreGivenUp() throws Exception {
        SaveQueue queue = queue(null, store);
        device.add(List.of(hash(1)));
        queue.add(session, hashes(0, 3));
        runAll();
        assertThat(stored()).containsExactly(hash(1));
        assertThat(counters.goneBlocks.sum()).isEqualTo(2);
    }

    @Test
    void blocksThatCannotBeHeldYetComeLater() throws Exception {
        SaveQueue queue = queue(null, store);
        device.add(hashes(0, 7));
        device.holdAtMost(3);
        queue.add(session, hashes(0, 7));
        runAll();
        assertThat(stored()).containsExactlyInAnyOrderElementsOf(hashes(0, 7));
        assertThat(counters.goneBlocks.sum()).isZero();
        device.add(List.of(hash(8)));
        device.holdAtMost(0);
        queue.add(session, List.of(hash(8)));
        runAll();
        assertThat(stored()).doesNotContain(hash(8));
        device.holdAtMost(1);
        task.pass(SaveQueue.HELD_RETRY_MS);
        runAll();
        assertThat(stored()).contains(hash(8));
    }

    @Test
    void errorOfTheStorePausesWritingAndLosesNothing() throws Exception {
        HostTier host = host(8);
        SaveQueue queue = queue(host, store);
        device.add(hashes(0, 3));
        store.failToWrite(true);
        queue.add(session, hashes(0, 3));
        runAll();
        assertThat(results.get(0).error()).hasMessageContaining("full");
        assertThat(session.isAccountedFor(hash(0))).isTrue();
        store.failToWrite(false);
        runAll();
        assertThat(stored()).isEmpty();
        device.clear();
        task.pass(SaveQueue.PAUSE_MS);
        runAll();
        assertThat(stored()).containsExactlyInAnyOrderElementsOf(hashes(0, 3));
        host.close();
    }

    @Test
    void everythingIsSavedBeforeItIsSaid() throws Exception {
        SaveQueue queue = queue(null, store);
        device.add(hashes(0, 20));
        List<SaveReport> reports = new ArrayList<>();
        queue.add(session, hashes(0, 11));
        queue.whenSaved(reports::add);
        while (reports.isEmpty() && step()) {
            // step did it
        }
        assertThat(reports)
                .containsExactly(new SaveReport(1, 11, 11L * BlockValue.valueBytes(TestingDevice.CONTENT_BYTES), 0));
        assertThat(stored()).hasSize(11);
    }

    @Test
    void everythingIsSaidToBeTriedWhereNothingCanBeWritten() throws Exception {
        SaveQueue queue = queue(null, store);
        device.add(hashes(0, 8));
        store.failToWrite(true);
        List<SaveReport> reports = new ArrayList<>();
        queue.add(session, hashes(0, 10));
        queue.whenSaved(reports::add);
        runAll();
        assertThat(reports).containsExactly(new SaveReport(0, 0, 0, 10));
        store.failToWrite(false);
        queue.whenSaved(reports::add);
        runAll();
        assertThat(reports.get(1).blocks()).isEqualTo(8);
        assertThat(stored()).hasSize(8);
    }

    @Test
    void nothingToSaveIsSaidToo() throws Exception {
        List<SaveReport> reports = new ArrayList<>();
        queue(null, store).whenSaved(reports::add);
        runAll();
        assertThat(reports).containsExactly(new SaveReport(0, 0, 0, 0));
    }

    @Test
    void closedThreadLetsGoOfBlocks() throws Exception {
        SaveQueue queue = queue(null, store);
        device.add(hashes(0, 2));
        queue.add(session, hashes(0, 2));
        task.runOne();
        assertThat(device.holds()).isEqualTo(1);
        thread.close();
        assertThat(device.holds()).isZero();
        session.queued().clear();
    }

    private SaveQueue queue(@Nullable HostTier host, @Nullable BlockStore to) {
        CopyRooms rooms = new CopyRooms(host, TestingDevice.CONTENT_BYTES, BUFFERS);
        return new SaveQueue(new SaveQueue.Parts(
                device::hold,
                to,
                new StateKeys(0),
                new RunWriter(to, rooms, device::has, counters),
                thread,
                task,
                this::saved,
                counters,
                RUN_BLOCKS,
                BlockValue.valueBytes(TestingDevice.CONTENT_BYTES)));
    }

    private void saved(SaveResult result) {
        assertThat(task.currentKey()).isEqualTo(result.job().session().placement());
        results.add(result);
        if (result.run() != null) {
            store.commit(result.run());
        }
    }

    /** The names of all values that are stored; checks each value. */
    private List<BlockHash> stored() {
        List<BlockHash> found = new ArrayList<>();
        for (byte[] value : store.values(session.placement()).values()) {
            ByteBuffer buffer = ByteBuffer.wrap(value);
            BlockHash hash = hash(value[BlockValue.HEADER_BYTES]);
            assertThat(BlockValue.check(hash, buffer)).isEqualTo(BlockValue.Check.OK);
            found.add(hash);
        }
        return found;
    }

    static HostTier host(int slots) {
        return host(slots, TestingDevice.CONTENT_BYTES);
    }

    static HostTier host(int slots, int contentBytes) {
        int bytes = (int) HostRegion.slabBytes(slots, contentBytes);
        HostRegion region = new HostRegion(List.of(ByteBuffer.allocateDirect(bytes)), contentBytes, () -> {});
        assertThat(region.slotCount()).isEqualTo(slots);
        return new HostTier(region, new LeastRecentlyUsedRetention(slots));
    }

    private boolean step() throws Exception {
        return task.runOne() || thread.doOne();
    }

    private void runAll() throws Exception {
        while (step()) {
            // step did it
        }
    }
}
