package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.LoadTarget;
import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.host.HostSlot;
import io.millrace.kv.host.HostTier;
import io.millrace.operators.SecondsHistogram;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings blocks from HOST and STATE to the device, on a thread of its own. A block that STATE has and HOST has room for
 * goes by way of HOST, and stays there. Every value that comes from STATE is checked; the first that is not what it
 * should be ends its load, and what follows is computed.
 */
final class BlockLoader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BlockLoader.class);

    /** Loads that wait; beyond them blocks are computed. */
    static final int WAITING_LOADS_MAX = 256;

    private static final double DEFAULT_HOST_BYTES_PER_SECOND = 4e9;
    private static final double DEFAULT_STATE_BYTES_PER_SECOND = 5e8;

    /** What the loader's user does for it. */
    interface Session {
        /** The key of a block's value in STATE; null if it is not there. Any thread. */
        @Nullable
        Long keyOf(BlockHash hash);

        /** Prepares to read values. Task thread. */
        BlockStore.Reader reader(long[] keys) throws Exception;

        /** A value is missing, damaged or another one's. Task thread. */
        void damaged(BlockHash hash, long key, String what) throws Exception;
    }

    private final @Nullable HostTier host;
    private final int contentBytes;
    private final JobThread thread;
    private final TaskThread task;
    private final LongSupplier nanoClock;
    private final TierCounters counters;
    private final SecondsHistogram loadSeconds = new SecondsHistogram();
    private final RateMeter hostRate = new RateMeter(DEFAULT_HOST_BYTES_PER_SECOND);
    private final RateMeter stateRate = new RateMeter(DEFAULT_STATE_BYTES_PER_SECOND);
    private final AtomicInteger waitingLoads = new AtomicInteger();
    private final AtomicLong queuedHostBytes = new AtomicLong();
    private final AtomicLong queuedStateBytes = new AtomicLong();
    private final Set<Load> open = ConcurrentHashMap.newKeySet();
    private @Nullable ByteBuffer buffer;
    private volatile boolean closed;

    BlockLoader(
            @Nullable HostTier host,
            int contentBytes,
            JobThread thread,
            TaskThread task,
            LongSupplier nanoClock,
            TierCounters counters) {
        this.host = host;
        this.contentBytes = contentBytes;
        this.thread = requireNonNull(thread, "thread");
        this.task = requireNonNull(task, "task");
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
        this.counters = requireNonNull(counters, "counters");
    }

    /** Whether one more load may wait. Any thread. */
    boolean hasRoom() {
        return !closed && waitingLoads.get() < WAITING_LOADS_MAX;
    }

    boolean isInHost(BlockHash hash) {
        return host != null && host.contains(hash);
    }

    long queuedHostBytes() {
        return queuedHostBytes.get();
    }

    long queuedStateBytes() {
        return queuedStateBytes.get();
    }

    double hostBytesPerSecond() {
        return hostRate.perSecond();
    }

    double stateBytesPerSecond() {
        return stateRate.perSecond();
    }

    SecondsHistogram loadSeconds() {
        return loadSeconds;
    }

    /** Loads blocks into a target, and ends it, whatever happens. Any thread. */
    void load(Session session, List<BlockHash> hashes, LoadTarget target) {
        Load load = new Load(session, hashes, target);
        open.add(load);
        if (closed) {
            load.end(0);
            return;
        }
        if (load.keyCount == 0) {
            load.enqueue();
        } else if (!task.mail(load::prepare, "prepare to load blocks")) {
            load.end(0);
        }
    }

    /** Reads a session's blocks into free slots of HOST, when there is nothing else to do. Task thread. */
    boolean prefetch(Session session, List<BlockHash> hashes, TaskThread.Mail whenDone) throws Exception {
        return host != null && thread.offerIdle(new Prefetch(session, hashes, whenDone));
    }

    /** Ends the loads that are left; blocks that come too late are computed. After its thread was closed. */
    @Override
    public void close() {
        closed = true;
        open.forEach(load -> load.end(0));
    }

    private ByteBuffer buffer() {
        ByteBuffer made = buffer;
        if (made == null) {
            made = CopyRooms.newBuffer(contentBytes);
            buffer = made;
        }
        return made.clear().position(BlockValue.PREFIX_ROOM_BYTES);
    }

    /** Reads a value and checks it. False, and said so, if it is not what it should be. */
    private boolean read(Session session, BlockHash hash, BlockStore.Reader reader, int index, ByteBuffer value) {
        ByteBuffer read = value.duplicate();
        try {
            if (!reader.read(index, read)) {
                return damaged(session, hash, "missing");
            }
        } catch (IOException e) {
            counters.storeErrors.increment();
            LOG.warn("a block cannot be read from state, and is computed", e);
            return false;
        }
        if (read.position() - value.position() != BlockValue.valueBytes(contentBytes)) {
            return damaged(session, hash, "of another size");
        }
        BlockValue.Check check = BlockValue.check(hash, value);
        return check == BlockValue.Check.OK || damaged(session, hash, check.name());
    }

    private boolean damaged(Session session, BlockHash hash, String what) {
        Long key = session.keyOf(hash);
        if (key != null) {
            task.mail(() -> session.damaged(hash, key, what), "a damaged block");
        }
        return false;
    }

    /** One load. */
    private final class Load implements JobThread.Job {
        private final Session session;
        private final List<BlockHash> hashes;
        private final LoadTarget target;
        private final AtomicBoolean ended = new AtomicBoolean();
        private final int[] keyIndexes;
        private final long[] keys;
        private final int keyCount;
        private final long beginNanos;
        private BlockStore.@Nullable Reader reader;
        private long hostNanos;
        private long stateNanos;
        private int hostBlocks;
        private int stateBlocks;

        Load(Session session, List<BlockHash> hashes, LoadTarget target) {
            this.session = requireNonNull(session, "session");
            this.hashes = List.copyOf(hashes);
            this.target = requireNonNull(target, "target");
            this.keyIndexes = new int[hashes.size()];
            this.keys = new long[hashes.size()];
            this.beginNanos = nanoClock.getAsLong();
            int count = 0;
            for (int i = 0; i < keyIndexes.length; i++) {
                BlockHash hash = this.hashes.get(i);
                Long key = isInHost(hash) ? null : session.keyOf(hash);
                keyIndexes[i] = key == null ? -1 : count;
                if (key != null) {
                    keys[count++] = key;
                }
            }
            this.keyCount = count;
            waitingLoads.incrementAndGet();
            queuedStateBytes.addAndGet((long) keyCount * contentBytes);
            queuedHostBytes.addAndGet((long) (keyIndexes.length - keyCount) * contentBytes);
        }

        /** On the task thread. */
        void prepare() throws Exception {
            long[] wanted = new long[keyCount];
            System.arraycopy(keys, 0, wanted, 0, keyCount);
            try {
                reader = session.reader(wanted);
            } catch (Exception e) {
                LOG.warn("blocks cannot be read from state, and are computed", e);
                counters.storeErrors.increment();
                end(0);
                return;
            }
            enqueue();
        }

        void enqueue() {
            if (!thread.offer(this)) {
                end(0);
            }
        }

        @Override
        public void run() {
            int loaded = 0;
            try {
                while (loaded < hashes.size() && target.isWanted() && loadOne(loaded)) {
                    loaded++;
                }
            } finally {
                // Before the sequence goes on: who sees its tokens sees where its blocks came from.
                count();
                end(loaded);
            }
        }

        private void count() {
            counters.promotedFromHostBlocks.add(hostBlocks);
            counters.promotedFromHostBytes.add((long) hostBlocks * contentBytes);
            counters.promotedFromStateBlocks.add(stateBlocks);
            counters.promotedFromStateBytes.add((long) stateBlocks * contentBytes);
            hostRate.record((long) hostBlocks * contentBytes, hostNanos);
            stateRate.record((long) stateBlocks * contentBytes, stateNanos);
            loadSeconds.update(nanoClock.getAsLong() - beginNanos);
        }

        @Override
        public void abandon() {
            end(0);
        }

        void end(int loadedBlocks) {
            if (!ended.compareAndSet(false, true)) {
                return;
            }
            open.remove(this);
            waitingLoads.decrementAndGet();
            queuedStateBytes.addAndGet(-(long) keyCount * contentBytes);
            queuedHostBytes.addAndGet(-(long) (keyIndexes.length - keyCount) * contentBytes);
            target.done(loadedBlocks);
        }

        private boolean loadOne(int index) {
            BlockHash hash = hashes.get(index);
            long begin = nanoClock.getAsLong();
            try (@Nullable HostSlot slot = host == null ? null : host.find(hash)) {
                if (slot != null) {
                    target.write(index, slot.content());
                    hostBlocks++;
                    hostNanos += nanoClock.getAsLong() - begin;
                    return true;
                }
            }
            BlockStore.Reader from = reader;
            if (from == null || keyIndexes[index] < 0 || !loadFromState(hash, index, from)) {
                return false;
            }
            stateBlocks++;
            stateNanos += nanoClock.getAsLong() - begin;
            return true;
        }

        private boolean loadFromState(BlockHash hash, int index, BlockStore.Reader from) {
            try (@Nullable HostSlot slot = freeSlot(hash)) {
                ByteBuffer value = slot == null ? buffer() : slot.value();
                if (!read(session, hash, from, keyIndexes[index], value)) {
                    return false;
                }
                if (slot != null) {
                    slot.publish();
                }
                target.write(index, BlockValue.content(value));
                return true;
            }
        }
    }

    /** A slot that holds nothing: what HOST has is not evicted for what STATE has. */
    private @Nullable HostSlot freeSlot(BlockHash hash) {
        if (host == null || host.stats().findableBlocks() + host.stats().pinnedSlots() >= host.slotCount()) {
            return null;
        }
        return host.reserve(hash);
    }

    /** Blocks of a session for HOST, while there is nothing else to do. */
    private final class Prefetch implements JobThread.Job {
        private final Session session;
        private final List<BlockHash> hashes = new ArrayList<>();
        private final BlockStore.Reader reader;
        private final TaskThread.Mail whenDone;
        private int next;

        Prefetch(Session session, List<BlockHash> wanted, TaskThread.Mail whenDone) throws Exception {
            this.session = requireNonNull(session, "session");
            this.whenDone = requireNonNull(whenDone, "whenDone");
            List<Long> found = new ArrayList<>();
            for (BlockHash hash : wanted) {
                Long key = isInHost(hash) ? null : session.keyOf(hash);
                if (key != null) {
                    hashes.add(hash);
                    found.add(key);
                }
            }
            reader = session.reader(found.stream().mapToLong(Long::longValue).toArray());
        }

        @Override
        public void run() {
            boolean more = true;
            while (more && next < hashes.size() && waitingLoads.get() == 0) {
                more = fetch(hashes.get(next), next);
                next++;
            }
            // Where loads wait it comes again behind them.
            boolean again = more && next < hashes.size() && thread.offerIdle(this);
            if (!again) {
                task.mail(whenDone, "blocks were brought ahead");
            }
        }

        @Override
        public void abandon() {}

        private boolean fetch(BlockHash hash, int index) {
            try (@Nullable HostSlot slot = freeSlot(hash)) {
                if (slot == null || !read(session, hash, reader, index, slot.value())) {
                    return false;
                }
                slot.publish();
                counters.prefetchedBlocks.increment();
                return true;
            }
        }
    }
}
