package io.millrace.kv.rocksdb;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.kv.flink.SessionPlacementTypeInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.SnapshotType;
import org.apache.flink.runtime.state.AbstractKeyedStateBackend;
import org.apache.flink.runtime.state.CheckpointStorage;
import org.apache.flink.runtime.state.KeyedStateBackend;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.SharedStateRegistryImpl;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.jspecify.annotations.Nullable;

/** One attempt of one subtask with blocks in real keyed state; what a block holds follows from its key. */
final class TestingBlockTask implements AutoCloseable {
    static final int MAX_PARALLELISM = 16;

    /** The keys of each session's blocks: what manifests are to an operator. */
    final Map<String, TreeSet<Long>> manifests = new LinkedHashMap<>();

    final int contentBytes;
    private final KeyedOneInputStreamOperatorTestHarness<SessionPlacement, SessionPlacement, SessionPlacement> harness;
    private final StoreOperator operator;
    private long nextKey;
    private long checkpointId;

    TestingBlockTask(Options options, @Nullable OperatorSubtaskState state) throws Exception {
        contentBytes = options.contentBytes;
        nextKey = options.generation << 32;
        checkpointId = options.generation * 1000;
        operator = new StoreOperator(options.settings);
        harness = new KeyedOneInputStreamOperatorTestHarness<>(
                operator,
                placement -> placement,
                SessionPlacementTypeInfo.INSTANCE,
                MAX_PARALLELISM,
                options.parallelism,
                options.subtask);
        harness.setStateBackend(options.backend);
        harness.setCheckpointStorage(options.storage);
        harness.setup();
        if (state == null) {
            harness.initializeEmptyState();
        } else {
            harness.initializeState(state);
        }
        harness.open();
    }

    /** What to start. */
    static final class Options {
        StateBackend backend;
        CheckpointStorage storage;
        BlockStoreSettings settings = BlockStoreSettings.defaults().withMinFreeDiskBytes(0);
        int contentBytes = 50_000;
        int parallelism = 1;
        int subtask;
        long generation;

        Options(StateBackend backend, CheckpointStorage storage) {
            this.backend = backend;
            this.storage = storage;
        }
    }

    BlockStore store() {
        return operator.store;
    }

    KeyedStateBackend<SessionPlacement> backend() {
        return operator.getKeyedStateBackend();
    }

    /** Whether a session's key group is one of this subtask's. */
    boolean owns(String session) {
        return operator.getKeyedStateBackend() instanceof AbstractKeyedStateBackend<?> backend
                && backend.getKeyGroupRange()
                        .contains(SessionPlacement.bySessionId(session).keyGroup(MAX_PARALLELISM));
    }

    BlockStore.Place place(String session) {
        operator.setCurrentKey(SessionPlacement.bySessionId(session));
        return operator.store.place();
    }

    /** Writes and commits a run of blocks; returns its first key. */
    long write(String session, int count) throws Exception {
        long first = nextKey;
        BlockStore.WrittenRun run = writeOnly(session, count);
        place(session);
        store().commit(run);
        for (long key = first; key < first + count; key++) {
            manifests.computeIfAbsent(session, id -> new TreeSet<>()).add(key);
        }
        return first;
    }

    BlockStore.WrittenRun writeOnly(String session, int count) throws IOException {
        List<ByteBuffer> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ByteBuffer value = newBuffer();
            fill(session, nextKey + i, BlockValue.content(value));
            BlockValue.encodeHeader(hash(session, nextKey + i), value);
            values.add(value);
        }
        BlockStore.WrittenRun run = store().write(place(session), nextKey, values);
        nextKey += count;
        return run;
    }

    /** What a block is found to be: null if it is not there. */
    BlockValue.@Nullable Check check(String session, long key) throws Exception {
        ByteBuffer buffer = newBuffer();
        BlockStore.Reader reader = store().reader(place(session), new long[] {key});
        if (!reader.read(0, buffer)) {
            return null;
        }
        buffer.limit(buffer.position()).position(BlockValue.PREFIX_ROOM_BYTES);
        BlockValue.Check check = BlockValue.check(hash(session, key), buffer);
        ByteBuffer expected = ByteBuffer.allocate(contentBytes);
        fill(session, key, expected);
        if (check == BlockValue.Check.OK && !expected.equals(BlockValue.content(buffer))) {
            throw new AssertionError("block " + key + " of " + session + " passes its check and is another");
        }
        return check;
    }

    /** Keys of the manifests whose blocks are not there. */
    List<Long> missing() throws Exception {
        List<Long> missing = new ArrayList<>();
        for (Map.Entry<String, TreeSet<Long>> manifest : manifests.entrySet()) {
            for (long key : manifest.getValue()) {
                BlockValue.Check check = check(manifest.getKey(), key);
                if (check == null) {
                    missing.add(key);
                } else if (check != BlockValue.Check.OK) {
                    throw new AssertionError("block " + key + " of " + manifest.getKey() + " is " + check);
                }
            }
        }
        return missing;
    }

    void dropAll(String session) throws Exception {
        store().dropAll(place(session));
        manifests.remove(session);
    }

    /** Takes a checkpoint or savepoint that is complete at once. */
    OperatorSubtaskState snapshot(SnapshotType type) throws Exception {
        checkpointId++;
        OperatorSubtaskState state =
                harness.snapshotWithLocalState(checkpointId, checkpointId, type).getJobManagerOwnedState();
        harness.notifyOfCompletedCheckpoint(checkpointId);
        return state;
    }

    /** Makes a state whole that refers to files of earlier checkpoints. */
    void register(OperatorSubtaskState state, SharedStateRegistryImpl registry) {
        for (KeyedStateHandle handle : state.getManagedKeyedState()) {
            handle.registerSharedStates(registry, checkpointId);
        }
    }

    ByteBuffer newBuffer() {
        return ByteBuffer.allocateDirect(BlockValue.SLOT_CONTENT_OFFSET + contentBytes)
                .position(BlockValue.PREFIX_ROOM_BYTES);
    }

    @Override
    public void close() throws Exception {
        harness.close();
    }

    static BlockHash hash(String session, long key) {
        return new BlockHash(session.hashCode(), key, 1, 2);
    }

    private static void fill(String session, long key, ByteBuffer content) {
        Random random = new Random(session.hashCode() * 31L + key);
        byte[] bytes = new byte[content.remaining()];
        random.nextBytes(bytes);
        content.duplicate().put(bytes);
    }

    private static final class StoreOperator extends AbstractStreamOperator<SessionPlacement>
            implements OneInputStreamOperator<SessionPlacement, SessionPlacement> {
        private static final long serialVersionUID = 1L;

        private final transient BlockStoreSettings settings;
        private transient BlockStore store;

        StoreOperator(BlockStoreSettings settings) {
            this.settings = settings;
        }

        @Override
        public void open() throws Exception {
            super.open();
            store = BlockStores.open(getKeyedStateBackend(), settings, "test");
        }

        @Override
        public void processElement(StreamRecord<SessionPlacement> element) {}

        @Override
        public void close() throws Exception {
            if (store != null) {
                store.close();
            }
            super.close();
        }
    }
}
