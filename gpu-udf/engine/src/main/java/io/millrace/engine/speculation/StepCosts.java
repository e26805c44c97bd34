package io.millrace.engine.speculation;

/**
 * What a step costs by how many rows it has logits of, as it was measured lately. Numbers of rows that were not seen
 * are judged by their neighbours; what was seen long ago is forgotten, so that it is tried again.
 */
public final class StepCosts {
    private static final int EXACT_ROWS = 16;
    /** Above the exact ones, each number of rows shares its place with those up to an eighth more. */
    private static final double PLACE_RATIO = 1.125;

    private static final double MEMORY_STEPS = 512;
    private static final double KEPT = 1 - 1 / MEMORY_STEPS;
    /** Of a place the last 12 steps count most. */
    private static final double PLACE_STEPS_MAX = 12;
    /** A place that was seen once is forgotten after some 700 steps. */
    private static final double KNOWN_STEPS = 0.25;
    /** A single measurement moves what is known by this factor at most: the JVM and the host pause now and then. */
    private static final double OUTLIER_RATIO = 2;
    /** Where only one place is known: what one row more costs, as a share of what the rows there cost each. */
    private static final double ASSUMED_ROW_SHARE = 0.5;

    private final double[] rows;
    private final double[] nanos;
    private final double[] steps;

    /** Costs of up to so many rows, none measured. */
    public StepCosts(int maxRows) {
        int places = place(Math.max(1, maxRows)) + 1;
        rows = new double[places];
        nanos = new double[places];
        steps = new double[places];
    }

    /** Notes a step. */
    public void note(int stepRows, long stepNanos) {
        int place = place(stepRows);
        for (int i = 0; i < steps.length; i++) {
            steps[i] *= KEPT;
        }
        boolean known = steps[place] >= KNOWN_STEPS;
        double weight = known ? 1 / Math.min(steps[place] + 1, PLACE_STEPS_MAX) : 1;
        double measured = known ? Math.min(stepNanos, nanos[place] * OUTLIER_RATIO) : stepNanos;
        nanos[place] += (measured - nanos[place]) * weight;
        rows[place] += (stepRows - rows[place]) * weight;
        steps[place] = known ? Math.min(steps[place] + 1, PLACE_STEPS_MAX) : 1;
    }

    /** Whether anything is known. */
    public boolean isKnown() {
        return next(0, 1) >= 0;
    }

    /** Nanoseconds of a step of so many rows. Only where anything is known. */
    public double nanos(int stepRows) {
        int place = place(stepRows);
        int below = next(place, -1);
        int above = next(place, 1);
        if (below >= 0 && below == above) {
            return nanos[below];
        }
        if (below < 0) {
            // Fewer rows than were ever seen: half of it is taken for what any step costs.
            return nanos[above] * (0.5 + 0.5 * stepRows / rows[above]);
        }
        if (above < 0) {
            return nanos[below] + (stepRows - rows[below]) * slopeFrom(below);
        }
        double share = (stepRows - rows[below]) / (rows[above] - rows[below]);
        return nanos[below] + Math.max(0, nanos[above] - nanos[below]) * share;
    }

    private double slopeFrom(int last) {
        int before = last == 0 ? -1 : next(last - 1, -1);
        double most = nanos[last] / rows[last];
        if (before < 0) {
            return ASSUMED_ROW_SHARE * most;
        }
        double slope = (nanos[last] - nanos[before]) / (rows[last] - rows[before]);
        return Math.max(0, Math.min(slope, most));
    }

    /** The next place that is known, from one on; or -1. */
    private int next(int from, int direction) {
        for (int place = Math.min(from, steps.length - 1); place >= 0 && place < steps.length; place += direction) {
            if (steps[place] >= KNOWN_STEPS) {
                return place;
            }
        }
        return -1;
    }

    private static int place(int stepRows) {
        return stepRows <= EXACT_ROWS
                ? stepRows - 1
                : EXACT_ROWS + (int) (Math.log((double) stepRows / EXACT_ROWS) / Math.log(PLACE_RATIO));
    }
}
