package io.millrace.operators;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.flink.api.common.operators.ProcessingTimeService;

/** The two clocks that a turn is timed by: wall time, which all workers share, and the engine's, which is monotonic. */
public final class TurnClock {
    private final ProcessingTimeService wall;
    private final LongSupplier engineNanos;

    /** A clock of both. */
    public TurnClock(ProcessingTimeService wall, LongSupplier engineNanos) {
        this.wall = requireNonNull(wall, "wall");
        this.engineNanos = requireNonNull(engineNanos, "engineNanos");
    }

    /** Milliseconds since the epoch. */
    public long nowMs() {
        return wall.getCurrentProcessingTime();
    }

    /** When a turn that arrived at some wall time did so by the engine's clock. */
    public long arrivalNanos(long arrivalMs) {
        long ageMs = Math.max(0, nowMs() - arrivalMs);
        return engineNanos.getAsLong() - TimeUnit.MILLISECONDS.toNanos(ageMs);
    }
}
