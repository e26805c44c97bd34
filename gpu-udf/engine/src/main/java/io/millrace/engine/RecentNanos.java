package io.millrace.engine;

import java.util.Arrays;

/**
 * The latest times that were measured, by their size: in eight steps between each power of two and the next, so a
 * quantile is too long by an eighth at most. One thread.
 */
final class RecentNanos {
    /** The latest are at least so many, where there were so many at all, and at most twice as many. */
    static final int WINDOW = 2_048;

    private static final int STEPS = 8;
    private static final int STEP_BITS = 3;
    /** About 18 minutes: longer times count as that. */
    private static final int EXPONENT_MAX = 40;

    private int[] latest = new int[(EXPONENT_MAX - STEP_BITS + 2) * STEPS];
    private int[] before = new int[latest.length];
    private int latestCount;
    private int beforeCount;

    void add(long nanos) {
        if (latestCount == WINDOW) {
            int[] oldest = before;
            before = latest;
            beforeCount = latestCount;
            latest = oldest;
            latestCount = 0;
            Arrays.fill(latest, 0);
        }
        latest[bucket(nanos)]++;
        latestCount++;
    }

    /** The time that a share of them, 0 to 1, did not exceed; 0 if there are none. */
    long quantile(double share) {
        int count = latestCount + beforeCount;
        if (count == 0) {
            return 0;
        }
        int due = (int) Math.max(1, Math.ceil(share * count));
        int bucket = 0;
        int seen = latest[0] + before[0];
        while (seen < due) {
            bucket++;
            seen += latest[bucket] + before[bucket];
        }
        return longest(bucket);
    }

    private static int bucket(long nanos) {
        if (nanos < STEPS) {
            return (int) Math.max(0, nanos);
        }
        int exponent = Math.min(EXPONENT_MAX, Long.SIZE - 1 - Long.numberOfLeadingZeros(nanos));
        int step = (int) Math.min(2 * STEPS - 1, nanos >>> (exponent - STEP_BITS)) - STEPS;
        return (exponent - STEP_BITS + 1) * STEPS + step;
    }

    private static long longest(int bucket) {
        if (bucket < STEPS) {
            return bucket;
        }
        int exponent = bucket / STEPS + STEP_BITS - 1;
        return ((long) (STEPS + bucket % STEPS + 1) << (exponent - STEP_BITS)) - 1;
    }
}
