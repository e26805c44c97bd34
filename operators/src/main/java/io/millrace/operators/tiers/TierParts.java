package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Engine;
import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.host.HostSlot;
import io.millrace.kv.host.HostTier;
import io.millrace.operators.handover.BlockReceiver;
import io.millrace.operators.handover.HandoverCounters;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The parts of the tiers of a subtask, made and ended in order. */
final class TierParts implements AutoCloseable {
    /** A run's values have about so many bytes at most: a file of that size is read and merged well. */
    private static final long RUN_BYTES_MAX = 64L << 20;

    private static final int RUN_BLOCKS_MAX = 256;
    /** Copies beside HOST: one is written while another is copied. */
    private static final int COPY_BUFFERS_MIN = 2;

    /** Jobs of a thread that may wait; what bounds them in fact comes before it. */
    private static final int WAITING_JOBS_MAX = 1024;

    private final TierBase base;
    private final TierCounters counters = new TierCounters();
    private final SessionCatalog catalog;
    private final ChainHasher hasher;
    private final int contentBytes;
    private final JobThread writeThread = new JobThread(WAITING_JOBS_MAX);
    private final JobThread loadThread = new JobThread(WAITING_JOBS_MAX);
    private final BlockLoader loader;
    private final LoadChoice choice;
    private final PrefillLoad prefillLoad;

    TierParts(TierBase base) {
        this.base = requireNonNull(base, "base");
        Engine engine = base.lease().engine();
        contentBytes = Math.toIntExact(engine.kvLayout().blockBytes());
        catalog = new SessionCatalog(base.settings().newRetention());
        hasher = new ChainHasher(engine.blockSizeTokens(), engine.blockIdentity());
        loader = new BlockLoader(base.host(), contentBytes, loadThread, base.task(), base.nanoClock(), counters);
        prefillLoad = new EnginePrefillLoad(engine);
        choice = new LoadChoice(
                new LoadDecision(base.settings().load()),
                loader,
                prefillLoad,
                counters,
                contentBytes,
                engine.blockSizeTokens());
    }

    /** Starts the threads. */
    void start() {
        writeThread.start(base.threads());
        loadThread.start(base.threads());
    }

    /** Does a job of one of the threads, where these were not started; false if there is none. */
    boolean doOne() {
        return loadThread.doOne() || writeThread.doOne();
    }

    SaveQueue newSaveQueue(SaveQueue.Receiver receiver) {
        long fitting = base.settings().copyBytes() / valueBytes();
        int buffers = (int) Math.max(COPY_BUFFERS_MIN, Math.min(RUN_BLOCKS_MAX, fitting));
        long runBlocks = Math.max(1, Math.min(RUN_BLOCKS_MAX, RUN_BYTES_MAX / valueBytes()));
        HostTier host = base.host();
        if (host == null) {
            runBlocks = Math.min(runBlocks, buffers);
        }
        CopyRooms rooms = new CopyRooms(host, contentBytes, base.store() == null ? 0 : buffers);
        return new SaveQueue(new SaveQueue.Parts(
                base.lease()::hold,
                base.store(),
                new StateKeys(base.restoredCheckpointId() + 1),
                new RunWriter(base.store(), rooms, this::isOnDevice, counters),
                writeThread,
                base.task(),
                receiver,
                counters,
                (int) runBlocks,
                valueBytes()));
    }

    BlockReceiver newReceiver(HandoverCounters arrivals) {
        return new BlockReceiver(base.host(), contentBytes, this::isOnDevice, arrivals, base.nanoClock());
    }

    TierSettings settings() {
        return base.settings();
    }

    TierState state() {
        return base.state();
    }

    TaskThread task() {
        return base.task();
    }

    SessionTimers timers() {
        return base.timers();
    }

    @Nullable
    BlockStore store() {
        return base.store();
    }

    @Nullable
    HostTier host() {
        return base.host();
    }

    SessionCatalog catalog() {
        return catalog;
    }

    ChainHasher hasher() {
        return hasher;
    }

    BlockLoader loader() {
        return loader;
    }

    PrefillLoad prefillLoad() {
        return prefillLoad;
    }

    LoadChoice choice() {
        return choice;
    }

    TierCounters counters() {
        return counters;
    }

    /** Bytes of a block's value. */
    int valueBytes() {
        return BlockValue.valueBytes(contentBytes);
    }

    /** Blocks that HOST has room for. */
    int hostSlots() {
        HostTier host = base.host();
        return host == null ? 0 : host.slotCount();
    }

    /**
     * Makes blocks of a chain the last that HOST gives to others, and of them the first ones the very last: without
     * them what follows is of little use. Some time later.
     */
    void touchInHost(List<BlockHash> chain) {
        HostTier host = base.host();
        if (host == null || chain.isEmpty()) {
            return;
        }
        writeThread.offer(new JobThread.Job() {
            @Override
            public void run() {
                for (int i = chain.size() - 1; i >= 0; i--) {
                    HostSlot slot = host.find(chain.get(i));
                    if (slot != null) {
                        slot.close();
                    }
                }
            }

            @Override
            public void abandon() {}
        });
    }

    /** Whether the task was restored. */
    boolean isRestored() {
        return base.restoredCheckpointId() >= 0;
    }

    /** Whether the device holds a block now. */
    boolean isOnDevice(BlockHash hash) {
        return base.lease().engine().hasBlock(hash);
    }

    @Override
    public void close() {
        writeThread.close();
        loadThread.close();
        loader.close();
        BlockStore store = base.store();
        if (store != null) {
            store.close();
        }
        HostTier host = base.host();
        if (host != null) {
            host.close();
        }
    }
}
