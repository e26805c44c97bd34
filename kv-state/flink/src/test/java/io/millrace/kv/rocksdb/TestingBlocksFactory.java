package io.millrace.kv.rocksdb;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.LeastRecentlyUsedRetention;
import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.flink.ManagedHostMemory;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.kv.host.HostRegion;
import io.millrace.kv.host.HostSlot;
import io.millrace.kv.host.HostTier;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * An operator that stores blocks of each session that comes by, out of slots of managed memory, and checks all that it
 * has stored of it before. What it sees is counted for the test, which runs in the same process.
 */
final class TestingBlocksFactory extends AbstractStreamOperatorFactory<String>
        implements OneInputStreamOperatorFactory<SessionPlacement, String> {
    static final int CONTENT_BYTES = 200_000;
    private static final long serialVersionUID = 1L;
    private static final int RUN_BLOCKS = 4;
    private static final int RUNS_MAX = 6;

    /** Blocks that were read as they should be, by the attempt that wrote them. */
    static final Map<Long, AtomicLong> READ_BY_GENERATION = new ConcurrentHashMap<>();

    static final AtomicLong BAD_BLOCKS = new AtomicLong();
    static final AtomicLong WRITTEN_BYTES = new AtomicLong();
    static final AtomicLong SLOTS = new AtomicLong();
    static final AtomicLong GENERATION = new AtomicLong();
    static final AtomicBoolean FAIL_NEXT = new AtomicBoolean();

    @Override
    @SuppressWarnings("unchecked")
    public <T extends StreamOperator<String>> T createStreamOperator(StreamOperatorParameters<String> parameters) {
        return (T) new BlocksOperator(parameters);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
        return BlocksOperator.class;
    }

    private static final class BlocksOperator extends AbstractStreamOperator<String>
            implements OneInputStreamOperator<SessionPlacement, String> {
        private static final long serialVersionUID = 1L;

        private transient HostTier host;
        private transient BlockStore store;
        private transient MapState<Long, Integer> runs;
        private long nextKey;

        BlocksOperator(StreamOperatorParameters<String> parameters) {
            super(parameters);
        }

        @Override
        public void initializeState(StateInitializationContext context) throws Exception {
            super.initializeState(context);
            long generation = context.getRestoredCheckpointId().isPresent()
                    ? context.getRestoredCheckpointId().getAsLong() + 1
                    : 0;
            GENERATION.set(generation);
            nextKey = generation << 32;
            runs = context.getKeyedStateStore()
                    .getMapState(new MapStateDescriptor<>("runs", Long.class, Integer.class));
        }

        @Override
        public void open() throws Exception {
            super.open();
            var environment = getContainingTask().getEnvironment();
            HostRegion region = ManagedHostMemory.reserve(
                    this,
                    environment.getMemoryManager(),
                    ManagedHostMemory.shareBytes(getOperatorConfig(), environment),
                    Long.MAX_VALUE,
                    CONTENT_BYTES);
            SLOTS.set(region.slotCount());
            host = new HostTier(region, new LeastRecentlyUsedRetention(region.slotCount()));
            store = BlockStores.open(
                    getKeyedStateBackend(), BlockStoreSettings.defaults().withMinFreeDiskBytes(0), "blocks");
        }

        @Override
        public void processElement(StreamRecord<SessionPlacement> element) throws Exception {
            if (FAIL_NEXT.getAndSet(false)) {
                throw new IllegalStateException("the test wants this attempt to fail");
            }
            SessionPlacement session = element.getValue();
            int runCount = 0;
            for (Map.Entry<Long, Integer> run : runs.entries()) {
                runCount++;
                check(session, run.getKey(), run.getValue());
            }
            if (runCount >= RUNS_MAX) {
                store.dropAll(store.place());
                runs.clear();
            }
            List<HostSlot> slots = new ArrayList<>();
            List<ByteBuffer> values = new ArrayList<>();
            for (int i = 0; i < RUN_BLOCKS; i++) {
                BlockHash hash = hash(session, nextKey + i);
                HostSlot slot = Objects.requireNonNull(host.reserve(hash));
                byte[] bytes = new byte[CONTENT_BYTES];
                new Random(hash.bits1()).nextBytes(bytes);
                slot.content().put(bytes);
                BlockValue.encodeHeader(hash, slot.value());
                slots.add(slot);
                values.add(slot.value());
            }
            store.commit(store.write(store.place(), nextKey, values));
            runs.put(nextKey, RUN_BLOCKS);
            nextKey += RUN_BLOCKS;
            WRITTEN_BYTES.addAndGet((long) RUN_BLOCKS * CONTENT_BYTES);
            slots.forEach(HostSlot::publish);
            slots.forEach(HostSlot::close);
            store.mergeSmallFiles(store.place());
        }

        private void check(SessionPlacement session, long firstKey, int count) throws Exception {
            long[] keys = new long[count];
            for (int i = 0; i < count; i++) {
                keys[i] = firstKey + i;
            }
            BlockStore.Reader reader = store.reader(store.place(), keys);
            for (int i = 0; i < count; i++) {
                try (HostSlot slot = Objects.requireNonNull(host.reserve(hash(session, keys[i])))) {
                    boolean ok = reader.read(i, slot.value())
                            && BlockValue.check(slot.hash(), slot.value()) == BlockValue.Check.OK;
                    if (ok) {
                        READ_BY_GENERATION
                                .computeIfAbsent(firstKey >>> 32, key -> new AtomicLong())
                                .incrementAndGet();
                    } else {
                        BAD_BLOCKS.incrementAndGet();
                    }
                }
            }
        }

        @Override
        public void close() throws Exception {
            if (store != null) {
                store.close();
            }
            if (host != null) {
                host.close();
            }
            super.close();
        }

        private static BlockHash hash(SessionPlacement session, long key) {
            return new BlockHash(session.hash(), key, 5, 6);
        }
    }
}
