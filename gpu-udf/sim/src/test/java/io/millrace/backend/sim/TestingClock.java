package io.millrace.backend.sim;

/** A clock that stands still, but for those who wait. */
final class TestingClock implements SimClock {
    private long nanos;

    @Override
    public synchronized long nanoTime() {
        return nanos;
    }

    @Override
    public synchronized void waitUntil(long until) {
        nanos = Math.max(nanos, until);
    }
}
