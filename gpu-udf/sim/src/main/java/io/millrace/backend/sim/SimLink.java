package io.millrace.backend.sim;

import static java.util.Objects.requireNonNull;

/** The link that blocks are copied over: one copy after the other, at the device's rate. Any thread. */
final class SimLink {
    /** A wait ends late by up to this; the copies after it make up for that. */
    private static final long CREDIT_NANOS = 1_000_000;

    private final SimTiming timing;
    private final SimClock clock;
    private long freeNanos;

    SimLink(SimTiming timing, SimClock clock) {
        this.timing = requireNonNull(timing, "timing");
        this.clock = requireNonNull(clock, "clock");
        freeNanos = clock.nanoTime();
    }

    /** Waits for as long as a copy takes, and those before it. */
    void copy(long bytes) {
        long nanos = timing.transferNanos(bytes);
        if (nanos == 0) {
            return;
        }
        clock.waitUntil(reserve(nanos));
    }

    private synchronized long reserve(long nanos) {
        freeNanos = Math.max(freeNanos, clock.nanoTime() - CREDIT_NANOS) + nanos;
        return freeNanos;
    }
}
