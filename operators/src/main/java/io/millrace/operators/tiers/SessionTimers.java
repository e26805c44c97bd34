package io.millrace.operators.tiers;

/** Timers of sessions, in keyed state. Task thread. */
@FunctionalInterface
public interface SessionTimers {
    /** Sets a timer for the current key at a processing time; the same one twice is one. */
    void arm(long timeMs);
}
