package io.millrace.kv.rocksdb;

import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.flink.PutBlockStore;
import java.io.IOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.runtime.state.KeyedStateBackend;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the store of blocks that fits an operator's state backend. All stores keep blocks in one and the same map
 * state, so a savepoint in Flink's canonical format moves them from one backend to another.
 */
public final class BlockStores {
    /** The name of the state that holds blocks: a map of 64-bit keys to values. */
    public static final String STATE_NAME = "session-blocks";

    private static final Logger LOG = LoggerFactory.getLogger(BlockStores.class);

    // By name: a job that runs on another backend may have no RocksDB on its class path.
    private static final String ROCKSDB_BACKEND = "org.apache.flink.state.rocksdb.RocksDBKeyedStateBackend";
    private static final String HEAP_BACKEND = "org.apache.flink.runtime.state.heap.HeapKeyedStateBackend";

    private static final int QUEUED_DROPS_MAX = 4096;
    private static final long IDLE_SECONDS_MAX = 10;

    private BlockStores() {}

    /** The state's descriptor, for those who read a savepoint. */
    public static MapStateDescriptor<Long, byte[]> descriptor() {
        return new MapStateDescriptor<>(STATE_NAME, LongSerializer.INSTANCE, BytePrimitiveArraySerializer.INSTANCE);
    }

    /**
     * Opens the store in an operator's keyed state. Task thread, in {@code open}.
     *
     * @param taskName for people: names the thread that drops files, and says whose log line it is
     */
    public static <K> BlockStore open(KeyedStateBackend<K> backend, BlockStoreSettings settings, String taskName)
            throws Exception {
        MapState<Long, byte[]> state =
                backend.getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, descriptor());
        String backendName = backend.getClass().getName();
        if (backendName.equals(ROCKSDB_BACKEND)) {
            try {
                BlockStore store = openRocks(backend, settings, taskName);
                LOG.info("{}: blocks are written as files that RocksDB takes as they are", taskName);
                return store;
            } catch (RocksBackend.UnknownBackend e) {
                LOG.warn(
                        "{}: blocks are put one by one, which costs the task and uploads them many times", taskName, e);
            }
        } else {
            LOG.info("{}: blocks are put one by one, because the state backend is {}", taskName, backendName);
        }
        boolean copies = !backendName.equals(HEAP_BACKEND);
        return new PutBlockStore(state, copies ? settings.heapReaderBytesMax() : Long.MAX_VALUE);
    }

    private static <K> BlockStore openRocks(KeyedStateBackend<K> backend, BlockStoreSettings settings, String taskName)
            throws RocksBackend.UnknownBackend, IOException, RocksDBException {
        RocksBackend<K> rocks = RocksBackend.of(backend, STATE_NAME);
        return new RocksBlockStore<>(rocks, settings, dropThread(taskName));
    }

    private static ThreadPoolExecutor dropThread(String taskName) {
        ThreadPoolExecutor thread = new ThreadPoolExecutor(
                1, 1, IDLE_SECONDS_MAX, TimeUnit.SECONDS, new ArrayBlockingQueue<>(QUEUED_DROPS_MAX), work -> {
                    Thread dropper = new Thread(work, "millrace block drops of " + taskName);
                    dropper.setDaemon(true);
                    return dropper;
                });
        thread.allowCoreThreadTimeOut(true);
        return thread;
    }
}
