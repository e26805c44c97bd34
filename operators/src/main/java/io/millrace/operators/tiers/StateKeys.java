package io.millrace.operators.tiers;

/**
 * Keys of values in the STATE tier, none given twice: the high 32 bits say which attempt of the job gave them, the low
 * 32 count. An attempt that was restored from checkpoint n is attempt n + 1; what it writes is in a checkpoint above n,
 * and the next attempt is restored from that one or does not see what was written.
 */
final class StateKeys {
    private final long attempt;
    private long next;

    /** The keys of an attempt. */
    StateKeys(long attempt) {
        if (attempt < 0 || attempt > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("attempt is out of its range: " + attempt);
        }
        this.attempt = attempt;
    }

    /** Takes so many keys, and returns the first. */
    long take(int count) {
        if (next + count > 0xFFFF_FFFFL) {
            throw new IllegalStateException("attempt " + attempt + " has given all its keys");
        }
        long first = attempt << 32 | next;
        next += count;
        return first;
    }
}
