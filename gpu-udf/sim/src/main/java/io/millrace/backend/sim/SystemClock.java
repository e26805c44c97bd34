package io.millrace.backend.sim;

import java.util.concurrent.locks.LockSupport;

/** The time of day's passing. An interrupt does not end a wait, for a device's step does not end by one either. */
final class SystemClock implements SimClock {
    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public void waitUntil(long nanos) {
        boolean interrupted = false;
        long left = nanos - System.nanoTime();
        while (left > 0) {
            LockSupport.parkNanos(this, left);
            // With an interrupt pending, parking would return at once.
            interrupted |= Thread.interrupted();
            left = nanos - System.nanoTime();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
