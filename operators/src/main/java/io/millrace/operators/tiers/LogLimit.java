package io.millrace.operators.tiers;

/** Lets one line a minute into the log. Used by one thread. */
final class LogLimit {
    private static final long INTERVAL_MS = 60_000;

    private boolean logged;
    private long lastMs;

    /** Whether to log now. */
    boolean permits(long nowMs) {
        if (logged && nowMs - lastMs < INTERVAL_MS) {
            return false;
        }
        logged = true;
        lastMs = nowMs;
        return true;
    }
}
