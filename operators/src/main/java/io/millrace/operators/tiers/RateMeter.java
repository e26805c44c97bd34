package io.millrace.operators.tiers;

import java.util.concurrent.TimeUnit;

/**
 * A rate as the weighted mean of what was measured: a new measurement counts a quarter, so that a few of them mend a
 * wrong one. Any thread.
 */
final class RateMeter {
    private static final double WEIGHT = 0.25;

    private double perSecond;
    private boolean measured;

    /** A rate that is taken for the true one until the first measurement. */
    RateMeter(double perSecond) {
        this.perSecond = perSecond;
    }

    /** So much was done in so long. */
    synchronized void record(long amount, long nanos) {
        if (amount <= 0 || nanos <= 0) {
            return;
        }
        double now = amount * (double) TimeUnit.SECONDS.toNanos(1) / nanos;
        perSecond = measured ? perSecond + WEIGHT * (now - perSecond) : now;
        measured = true;
    }

    /** The rate now. */
    synchronized double perSecond() {
        return perSecond;
    }
}
