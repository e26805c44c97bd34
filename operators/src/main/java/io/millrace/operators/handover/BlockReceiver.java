package io.millrace.operators.handover;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.flink.HandoverRecord;
import io.millrace.kv.host.HostSlot;
import io.millrace.kv.host.HostTier;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts blocks that arrive in parts into HOST, where the turn behind them finds them. A block of which a part is
 * missing, that is not what its header says, or that HOST has no room for is dropped: it is computed. Used on the task
 * thread.
 */
public final class BlockReceiver implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BlockReceiver.class);

    /** Parts that come after a longer pause begin a new flow. */
    private static final long PAUSE_NANOS = 20_000_000;

    private final @Nullable HostTier host;
    private final int valueBytes;
    private final Predicate<BlockHash> onDevice;
    private final HandoverCounters counters;
    private final LongSupplier nanoClock;
    private long lastPartNanos;
    private final Map<Integer, Arrival> arrivals = new HashMap<>();

    /** A block of which the first parts have come. Without a slot the others are passed over. */
    private static final class Arrival {
        final BlockHash hash;
        final @Nullable HostSlot slot;
        int bytes;

        Arrival(BlockHash hash, @Nullable HostSlot slot) {
            this.hash = hash;
            this.slot = slot;
        }
    }

    /**
     * A receiver that nothing has come to.
     *
     * @param host takes the blocks; null if it is off, and then nothing is taken
     * @param contentBytes bytes of a block's content
     * @param onDevice whether the device holds a block now
     * @param nanoClock nanoseconds of a monotonic clock
     */
    public BlockReceiver(
            @Nullable HostTier host,
            int contentBytes,
            Predicate<BlockHash> onDevice,
            HandoverCounters counters,
            LongSupplier nanoClock) {
        this.host = host;
        this.valueBytes = BlockValue.valueBytes(contentBytes);
        this.onDevice = requireNonNull(onDevice, "onDevice");
        this.counters = requireNonNull(counters, "counters");
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
        this.lastPartNanos = nanoClock.getAsLong() - PAUSE_NANOS;
    }

    /** Takes a part; its bytes are copied. */
    public void accept(HandoverRecord.OfBlock part) {
        count(part);
        Arrival arrival = arrivals.get(part.sender());
        if (part.offset() == 0) {
            drop(arrival);
            arrival = begin(part);
            arrivals.put(part.sender(), arrival);
        }
        boolean fits = arrival != null
                && arrival.hash.equals(part.hash())
                && arrival.bytes == part.offset()
                && part.valueBytes() == valueBytes;
        if (arrival == null || !fits) {
            // What remains of a block whose begin came before a failure, or went to another subtask.
            drop(arrival);
            arrivals.remove(part.sender());
            return;
        }
        if (arrival.slot != null) {
            arrival.slot
                    .value()
                    .position(BlockValue.PREFIX_ROOM_BYTES + part.offset())
                    .put(part.array(), part.from(), part.length());
        }
        arrival.bytes += part.length();
        if (arrival.bytes == valueBytes) {
            arrivals.remove(part.sender());
            end(arrival);
        }
    }

    /** Drops what is not complete. */
    @Override
    public void close() {
        arrivals.values().forEach(this::drop);
        arrivals.clear();
    }

    private void count(HandoverRecord.OfBlock part) {
        counters.receivedBytes.add(part.length());
        long nowNanos = nanoClock.getAsLong();
        long sinceLastNanos = nowNanos - lastPartNanos;
        if (sinceLastNanos < PAUSE_NANOS) {
            counters.receiveNanos.add(sinceLastNanos);
        }
        lastPartNanos = nowNanos;
    }

    private Arrival begin(HandoverRecord.OfBlock part) {
        BlockHash hash = part.hash();
        if (host == null || part.valueBytes() != valueBytes) {
            counters.refusedBlocks.increment();
            return new Arrival(hash, null);
        }
        if (host.contains(hash) || onDevice.test(hash)) {
            counters.knownBlocks.increment();
            return new Arrival(hash, null);
        }
        HostSlot slot = host.reserve(hash);
        if (slot == null) {
            counters.refusedBlocks.increment();
        }
        return new Arrival(hash, slot);
    }

    private void end(Arrival arrival) {
        counters.receivedBlocks.increment();
        try (@Nullable HostSlot slot = arrival.slot) {
            if (slot == null) {
                return;
            }
            BlockValue.Check check = BlockValue.check(arrival.hash, slot.value());
            if (check == BlockValue.Check.OK) {
                slot.publish();
                counters.insertedBlocks.increment();
            } else {
                counters.damagedBlocks.increment();
                LOG.warn("block {} arrived {}; it is computed again", arrival.hash, check);
            }
        }
    }

    private void drop(@Nullable Arrival arrival) {
        if (arrival != null && arrival.bytes < valueBytes) {
            counters.incompleteBlocks.increment();
            if (arrival.slot != null) {
                arrival.slot.close();
            }
        }
    }
}
