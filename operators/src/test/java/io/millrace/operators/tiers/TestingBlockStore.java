package io.millrace.operators.tiers;

import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.flink.SessionPlacement;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A store in the heap, that fails when it is told to. */
final class TestingBlockStore implements BlockStore {
    private final TestingTaskThread task;
    private final Map<SessionPlacement, TreeMap<Long, byte[]>> values = new HashMap<>();
    private boolean failsToWrite;
    private boolean failsToRead;
    private int runs;
    private boolean closed;

    TestingBlockStore(TestingTaskThread task) {
        this.task = task;
    }

    private record Session(SessionPlacement placement) implements Place {}

    private record Run(SessionPlacement placement, long firstKey, List<byte[]> values) implements WrittenRun {}

    void failToWrite(boolean fails) {
        failsToWrite = fails;
    }

    void failToRead(boolean fails) {
        failsToRead = fails;
    }

    /** The committed values of a session, by their keys. */
    TreeMap<Long, byte[]> values(SessionPlacement placement) {
        return values.computeIfAbsent(placement, key -> new TreeMap<>());
    }

    /** Runs that were committed. */
    int runs() {
        return runs;
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public boolean writesBesideTheTask() {
        return true;
    }

    @Override
    public Place place() {
        return new Session(task.currentKey());
    }

    @Override
    public WrittenRun write(Place place, long firstKey, List<ByteBuffer> written) throws IOException {
        if (failsToWrite) {
            throw new IOException("the disk is full");
        }
        List<byte[]> copies = new ArrayList<>();
        for (ByteBuffer value : written) {
            byte[] copy = new byte[value.remaining()];
            value.duplicate().get(copy);
            copies.add(copy);
        }
        return new Run(((Session) place).placement(), firstKey, copies);
    }

    @Override
    public int valuePrefixBytes() {
        return 0;
    }

    @Override
    public void commit(WrittenRun run) {
        Run committed = (Run) run;
        runs++;
        for (int i = 0; i < committed.values().size(); i++) {
            byte[] before = values(committed.placement())
                    .put(committed.firstKey() + i, committed.values().get(i));
            if (before != null) {
                throw new IllegalStateException("a key was used twice");
            }
        }
    }

    @Override
    public Reader reader(Place place, long[] keys) {
        SessionPlacement placement = ((Session) place).placement();
        return (index, buffer) -> {
            if (failsToRead) {
                throw new IOException("the disk is gone");
            }
            byte[] value = values(placement).get(keys[index]);
            if (value == null) {
                return false;
            }
            buffer.put(value);
            return true;
        };
    }

    @Override
    public void drop(Place place, long firstKey, int count) {
        values(((Session) place).placement()).subMap(firstKey, firstKey + count).clear();
    }

    @Override
    public void dropAll(Place place) {
        values(((Session) place).placement()).clear();
    }

    @Override
    public long mergeSmallFiles(Place place) {
        return 0;
    }

    @Override
    public int dropUnknown(KnownValues known) {
        return 0;
    }

    @Override
    public Stats stats() {
        return new Stats("testing", null, 0, 0, 0, 0);
    }

    @Override
    public void close() {
        closed = true;
    }
}
