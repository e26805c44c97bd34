package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.HeldBlocks;
import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.flink.BlockStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies held blocks to HOST and writes them to STATE, one run a job. A block is copied once: it is written from where
 * it lies. Used by one thread.
 */
final class RunWriter {
    private static final Logger LOG = LoggerFactory.getLogger(RunWriter.class);

    private final @Nullable BlockStore store;
    private final CopyRooms rooms;
    private final Predicate<BlockHash> onDevice;
    private final TierCounters counters;

    /**
     * A writer to HOST, if the rooms have one, and to a store, if there is one.
     *
     * @param onDevice whether the device holds a block now
     */
    RunWriter(@Nullable BlockStore store, CopyRooms rooms, Predicate<BlockHash> onDevice, TierCounters counters) {
        this.store = store;
        this.onDevice = requireNonNull(onDevice, "onDevice");
        this.rooms = requireNonNull(rooms, "rooms");
        this.counters = requireNonNull(counters, "counters");
    }

    /**
     * Does a job.
     *
     * @param place the session's, if there is a store
     * @param held what the device has of the job's blocks; closed as soon as they are copied
     * @param writes whether to write now; copies to HOST are made in any case
     */
    SaveResult save(SaveJob job, BlockStore.@Nullable Place place, long firstKey, HeldBlocks held, boolean writes) {
        Copies copies = new Copies();
        try {
            try (held) {
                copies.copyAll(job.hashes(), held);
            }
            if (store == null || place == null || copies.toWrite.isEmpty()) {
                return copies.result(job, firstKey, null, null);
            }
            if (!writes) {
                copies.leaveAll();
                return copies.result(job, firstKey, null, null);
            }
            return write(store, place, job, firstKey, copies);
        } finally {
            copies.close();
        }
    }

    /** Merges a session's small files, if it has many; where that fails they stay as they are. */
    void merge(BlockStore.Place place) {
        try {
            if (store != null) {
                store.mergeSmallFiles(place);
            }
        } catch (IOException e) {
            counters.storeErrors.increment();
            LOG.warn("small files of blocks cannot be merged", e);
        }
    }

    private SaveResult write(BlockStore to, BlockStore.Place place, SaveJob job, long firstKey, Copies copies) {
        try {
            BlockStore.WrittenRun run = to.write(place, firstKey, copies.values);
            return copies.result(job, firstKey, run, null);
        } catch (IOException e) {
            copies.leaveAll();
            return copies.result(job, firstKey, null, e);
        }
    }

    /** The copies of one job. */
    private final class Copies {
        private final List<CopyRooms.Room> open = new ArrayList<>();
        private final List<ByteBuffer> values = new ArrayList<>();
        private final List<BlockHash> toWrite = new ArrayList<>();
        private final List<BlockHash> shared = new ArrayList<>();
        private final List<BlockHash> left = new ArrayList<>();

        void copyAll(List<BlockHash> hashes, HeldBlocks held) {
            Map<BlockHash, Integer> indexes = new HashMap<>();
            for (int i = 0; i < held.size(); i++) {
                indexes.put(held.hash(i), i);
            }
            for (BlockHash hash : hashes) {
                copy(hash, held, indexes.get(hash));
            }
        }

        private void copy(BlockHash hash, HeldBlocks held, @Nullable Integer index) {
            boolean isShared = index != null && held.isShared(index);
            CopyRooms.Room room = rooms.find(hash);
            if (room == null && index == null) {
                leaveOrGiveUp(hash);
                return;
            }
            if (room == null) {
                room = copyFromDevice(hash, held, requireNonNull(index), isShared);
            }
            if (isShared) {
                shared.add(hash);
                counters.sharedBlocks.increment();
            }
            if (room == null) {
                return;
            }
            open.add(room);
            if (store != null && !isShared) {
                values.add(room.value());
                toWrite.add(hash);
            }
        }

        /** The last one first, so that of a chain in HOST the end is given to others first. */
        void close() {
            for (int i = open.size() - 1; i >= 0; i--) {
                open.get(i).close();
            }
        }

        /** A block that is not held is gone, or too many are held already and it comes with another job. */
        private void leaveOrGiveUp(BlockHash hash) {
            if (onDevice.test(hash)) {
                left.add(hash);
            } else {
                counters.goneBlocks.increment();
            }
        }

        private CopyRooms.@Nullable Room copyFromDevice(BlockHash hash, HeldBlocks held, int index, boolean isShared) {
            CopyRooms.Room room = rooms.slot(hash);
            if (room != null) {
                counters.demotedToHostBlocks.increment();
            } else if (store != null && !isShared) {
                room = rooms.buffer();
                if (room == null) {
                    left.add(hash);
                }
            } else if (!isShared) {
                counters.skippedBlocks.increment();
            }
            if (room == null) {
                return null;
            }
            try {
                held.read(index, room.content());
                BlockValue.encodeHeader(hash, room.value());
            } catch (RuntimeException | Error e) {
                // The engine has ended, or the block is not what it should be: nothing of it may be found.
                room.close();
                throw e;
            }
            room.publish();
            return room;
        }

        void leaveAll() {
            left.addAll(toWrite);
            toWrite.clear();
        }

        SaveResult result(
                SaveJob job, long firstKey, BlockStore.@Nullable WrittenRun run, @Nullable IOException error) {
            return new SaveResult(job, firstKey, run, run == null ? List.of() : toWrite, shared, left, error);
        }
    }
}
