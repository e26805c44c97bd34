package io.millrace.operators.handover;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.tiers.TaskThread;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A turn whose blocks are on their way to Decode. Used on the task thread. */
public final class OutgoingTurn {
    private final SessionPlacement placement;
    private final int target;
    private final List<BlockHash> chain;
    private final int heldBlocks;
    private int offeredBlocks;
    private int openBlocks;
    private TaskThread.@Nullable Mail whenSent;
    private long openSinceNanos;
    private long openNanos;
    private long finishedNanos;

    /**
     * A turn of which nothing was sent.
     *
     * @param target the subtask of Decode that it goes to
     * @param chain the names of its prompt's blocks
     * @param heldBlocks how many of the first ones Decode is thought to hold
     */
    OutgoingTurn(SessionPlacement placement, int target, List<BlockHash> chain, int heldBlocks) {
        this.placement = requireNonNull(placement, "placement");
        this.target = target;
        this.chain = List.copyOf(chain);
        this.heldBlocks = heldBlocks;
    }

    SessionPlacement placement() {
        return placement;
    }

    int target() {
        return target;
    }

    /** The next block to be sent of the first so many; null if there is none left. */
    @Nullable
    BlockHash nextOf(int blocks) {
        while (offeredBlocks < Math.min(blocks, chain.size())) {
            int next = offeredBlocks++;
            if (next >= heldBlocks) {
                return chain.get(next);
            }
        }
        return null;
    }

    /** Number of its prompt's blocks. */
    int blockCount() {
        return chain.size();
    }

    /** A block of it is there to be sent. */
    void opened(long nowNanos) {
        if (openBlocks == 0) {
            openSinceNanos = nowNanos;
        }
        openBlocks++;
    }

    /** A block of it was sent, or given up. True if the turn waited for it alone. */
    boolean closed(long nowNanos) {
        openBlocks--;
        if (openBlocks == 0) {
            openNanos += nowNanos - openSinceNanos;
        }
        return openBlocks == 0 && whenSent != null;
    }

    /** All its blocks are computed. True if all were sent too. */
    boolean finish(long nowNanos, TaskThread.Mail whenAllSent) {
        finishedNanos = nowNanos;
        whenSent = requireNonNull(whenAllSent, "whenAllSent");
        return openBlocks == 0;
    }

    TaskThread.Mail whenSent() {
        return requireNonNull(whenSent, "the turn is not finished");
    }

    /** Time in which blocks of it were on their way. */
    long openNanos() {
        return openNanos;
    }

    /** Time for which it had to wait for them when all was computed. */
    long exposedNanos(long nowNanos) {
        return Math.min(openNanos, nowNanos - finishedNanos);
    }
}
