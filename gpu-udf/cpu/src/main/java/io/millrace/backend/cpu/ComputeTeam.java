package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A few threads that run the items of one region after another: the caller and its helpers claim items from a shared
 * counter until none is left, so that a helper that the machine holds up delays no more than the item it is at.
 *
 * <p>A token has hundreds of regions of a few microseconds each. Helpers therefore spin for the next one, and park when
 * none comes for a while: an idle team uses no processor. All regions are run by one caller.
 *
 * <p>The counter is one long, so that a claim and what it was claimed from are read at once: a helper that comes late
 * sees that the region is used up, or gets an item of the next one, whose fields are then visible to it.
 *
 * <pre>
 *   claims = region number (24 bits) | item count (20 bits) | next item (20 bits)
 * </pre>
 */
final class ComputeTeam implements AutoCloseable {
    /** Work that falls into items; different items may run at once. */
    interface Region {
        /** Runs one item on the worker of this index, whose scratch memory nobody else uses meanwhile. */
        void run(int item, int worker);
    }

    private static final int FIELD_BITS = 20;
    private static final int FIELD_MASK = (1 << FIELD_BITS) - 1;

    /** Leaves room for the claims of workers that come when none is left. */
    static final int ITEMS_MAX = FIELD_MASK - 4096;

    static final int THREADS_MAX = 1024;

    /** About a quarter of a millisecond: longer than what lies between two regions or two steps of a busy engine. */
    private static final int HELPER_SPINS = 8_000;

    private static final int CALLER_SPINS = 2_000;
    private static final long JOIN_MS = 1_000;

    private static final Region NOTHING = (item, worker) -> {};

    private final AtomicLong claims = new AtomicLong();
    private final AtomicInteger completed = new AtomicInteger();
    private final Worker[] helpers;
    private final YieldPacer callerPacer = YieldPacer.ofThread();
    private Region region = NOTHING;
    private volatile @Nullable Throwable failure;
    private volatile boolean closed;

    /** Starts {@code threadCount - 1} helpers. */
    ComputeTeam(int threadCount, ThreadFactory threads) {
        requireNonNull(threads, "threads");
        if (threadCount < 1 || threadCount > THREADS_MAX) {
            throw new IllegalArgumentException("threadCount must be from 1 to " + THREADS_MAX + ": " + threadCount);
        }
        helpers = new Worker[threadCount - 1];
        for (int i = 0; i < helpers.length; i++) {
            helpers[i] = new Worker(i + 1);
            helpers[i].thread = requireNonNull(threads.newThread(helpers[i]), "thread");
        }
        for (Worker helper : helpers) {
            helper.thread().start();
        }
    }

    /** Number of workers, the caller included. */
    int workerCount() {
        return helpers.length + 1;
    }

    /**
     * Runs all items of a region and returns when the last one is done.
     *
     * @throws IllegalStateException with the cause if an item failed; the other items have run
     */
    void run(Region next, int itemCount) {
        if (itemCount <= 1 || helpers.length == 0) {
            for (int item = 0; item < itemCount; item++) {
                next.run(item, 0);
            }
            return;
        }
        if (itemCount > ITEMS_MAX) {
            throw new IllegalArgumentException("a region of " + itemCount + " items; at most " + ITEMS_MAX);
        }
        region = next;
        completed.set(0);
        long number = (claims.get() >>> (2 * FIELD_BITS)) + 1;
        claims.set((number << (2 * FIELD_BITS)) | ((long) itemCount << FIELD_BITS));
        wakeHelpers();
        while (runClaimedItem(0)) {
            // Until all are claimed.
        }
        awaitCompletion(itemCount);
        callerPacer.regionDone();
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            throw new IllegalStateException("a compute thread failed", thrown);
        }
    }

    /** Claims and runs an item; returns false where there was none. */
    private boolean runClaimedItem(int worker) {
        if (!isClaimable(claims.get())) {
            return false;
        }
        long claim = claims.getAndIncrement();
        if (!isClaimable(claim)) {
            return false;
        }
        try {
            region.run((int) claim & FIELD_MASK, worker);
        } catch (Throwable e) {
            failure = e;
        }
        completed.getAndIncrement();
        return true;
    }

    private static boolean isClaimable(long claims) {
        return ((int) claims & FIELD_MASK) < ((int) (claims >>> FIELD_BITS) & FIELD_MASK);
    }

    private void wakeHelpers() {
        for (Worker helper : helpers) {
            if (helper.parked) {
                LockSupport.unpark(helper.thread());
            }
        }
    }

    private void awaitCompletion(int itemCount) {
        int spins = 0;
        while (completed.get() < itemCount) {
            if (spins < CALLER_SPINS) {
                spins++;
                Thread.onSpinWait();
            } else {
                // More threads than processors: the helper that has the last item may be waiting for this one.
                Thread.yield();
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        boolean interrupted = false;
        for (Worker helper : helpers) {
            LockSupport.unpark(helper.thread());
            try {
                helper.thread().join(JOIN_MS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Worker implements Runnable {
        private final int index;
        private volatile boolean parked;
        private @Nullable Thread thread;

        private Worker(int index) {
            this.index = index;
        }

        private Thread thread() {
            return requireNonNull(thread, "thread");
        }

        @Override
        public void run() {
            YieldPacer pacer = YieldPacer.ofThread();
            boolean busy = false;
            int spins = 0;
            while (!closed) {
                if (runClaimedItem(index)) {
                    spins = 0;
                    busy = true;
                } else if (busy) {
                    busy = false;
                    pacer.regionDone();
                } else if (spins < HELPER_SPINS) {
                    spins++;
                    Thread.onSpinWait();
                } else {
                    park();
                    spins = 0;
                }
            }
        }

        /** Says that it parks before it looks a last time; the caller publishes work before it looks who is parked. */
        private void park() {
            parked = true;
            if (!closed && !isClaimable(claims.get())) {
                LockSupport.park(this);
            }
            parked = false;
        }
    }
}
