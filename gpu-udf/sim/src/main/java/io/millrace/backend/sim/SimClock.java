package io.millrace.backend.sim;

/** Time as simulated devices see it. Used by several threads. */
interface SimClock {
    /** Nanoseconds of a monotonic clock. */
    long nanoTime();

    /** Waits until {@link #nanoTime} is this, or later. */
    void waitUntil(long nanos);
}
