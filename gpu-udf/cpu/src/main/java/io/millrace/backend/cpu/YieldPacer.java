package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import java.util.function.LongSupplier;

/**
 * Has a compute thread offer its processor now and then. Where there are no more processors than compute threads, those
 * that carry a step's tokens to clients would otherwise wait for the end of a time slice at each hand-over: for
 * milliseconds, though they need microseconds.
 *
 * <p>An offer that comes back late was taken by something that computes too. To offer to it again and again would give
 * the processor away, so the next offers are then fewer, until they come back soon again.
 */
final class YieldPacer {
    /** Regions between two offers, a few of which make a decoder layer: some 0.2 milliseconds at batch 1. */
    static final int NEAREST_REGIONS = 8;

    /** Regions between two offers while they come back late: about ten steps. */
    static final int FARTHEST_REGIONS = 2_048;

    /** An offer that takes longer went to another that computes. */
    static final long LATE_NANOS = 800_000;

    private final Runnable offer;
    private final LongSupplier nanos;
    private int distance = NEAREST_REGIONS;
    private int left = NEAREST_REGIONS;

    YieldPacer(Runnable offer, LongSupplier nanos) {
        this.offer = requireNonNull(offer, "offer");
        this.nanos = requireNonNull(nanos, "nanos");
    }

    /** A pacer of the calling thread. */
    static YieldPacer ofThread() {
        return new YieldPacer(Thread::yield, System::nanoTime);
    }

    /** Says that a region is done, for this thread; may offer the processor. */
    void regionDone() {
        left--;
        if (left > 0) {
            return;
        }
        long begin = nanos.getAsLong();
        offer.run();
        if (nanos.getAsLong() - begin > LATE_NANOS) {
            distance = Math.min(FARTHEST_REGIONS, distance * 4);
        } else {
            distance = Math.max(NEAREST_REGIONS, distance / 2);
        }
        left = distance;
    }
}
