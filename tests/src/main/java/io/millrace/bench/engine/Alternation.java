package io.millrace.bench.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Runs a measurement of both sides in turns, so that what disturbs the machine disturbs both. */
final class Alternation {
    private final @Nullable LlamaCppPeer peer;
    private final Progress progress;
    private final double untilSeconds;

    /**
     * Turns of both sides.
     *
     * @param peer the other side; null if there is none
     * @param untilSeconds when this many have passed since the start, a measurement keeps to one run of each side
     */
    Alternation(@Nullable LlamaCppPeer peer, Progress progress, double untilSeconds) {
        this.peer = peer;
        this.untilSeconds = untilSeconds;
        this.progress = requireNonNull(progress, "progress");
    }

    /** One run of ours. */
    @FunctionalInterface
    interface OurRun {
        double measure(int run) throws Exception;
    }

    /** One run of the peer's. */
    @FunctionalInterface
    interface PeerRun {
        double measure(LlamaCppPeer peer, int run) throws Exception;
    }

    /** Whether there is time for more than what must be. */
    boolean hasTime() {
        return progress.elapsedSeconds() < untilSeconds;
    }

    /** Measures so often on each side, after one run of each that does not count; less often if time is up. */
    Figure measure(String what, String unit, int runs, OurRun ours, PeerRun others) throws Exception {
        List<Double> values = new ArrayList<>();
        List<Double> peerValues = new ArrayList<>();
        for (int run = 0; run <= runs && (run <= 1 || hasTime()); run++) {
            double value = ours.measure(run);
            double peerValue = peer == null ? Double.NaN : others.measure(peer, run);
            if (run == 0) {
                continue;
            }
            values.add(value);
            if (peer != null) {
                peerValues.add(peerValue);
            }
            progress.say(String.format(
                    Locale.ROOT,
                    "%s, run %d of %d: %.1f %s%s",
                    what,
                    run,
                    runs,
                    value,
                    unit,
                    peer == null ? "" : String.format(Locale.ROOT, " (llama.cpp %.1f)", peerValue)));
        }
        return new Figure(unit, values, peerValues);
    }
}
