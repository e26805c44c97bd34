package io.millrace.bench;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.List;

/**
 * A measured figure: the median of its runs, and the peer's from the same session where there is one.
 *
 * @param unit such as {@code tokens/s}
 * @param runs ours, in the order they were run; not empty
 * @param peerRuns the peer's; empty where it has none
 */
public record Figure(String unit, List<Double> runs, List<Double> peerRuns) {
    public Figure {
        requireNonNull(unit, "unit");
        runs = List.copyOf(runs);
        peerRuns = List.copyOf(peerRuns);
        if (runs.isEmpty()) {
            throw new IllegalArgumentException("a figure needs at least one run");
        }
    }

    /** A figure of one run, without a peer. */
    public static Figure of(String unit, double value) {
        return new Figure(unit, List.of(value), List.of());
    }

    /** Our value. */
    public double value() {
        return median(runs);
    }

    /** Whether the peer was measured. */
    public boolean hasPeer() {
        return !peerRuns.isEmpty();
    }

    /** The peer's value; NaN if there is none. */
    public double peerValue() {
        return hasPeer() ? median(peerRuns) : Double.NaN;
    }

    /** Our value over the peer's; NaN if there is none. */
    public double overPeer() {
        return value() / peerValue();
    }

    /** The middle one of some values, or the mean of the two in the middle. */
    public static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** The value that a share of some values does not exceed, by the nearest rank. */
    public static double percentile(double[] values, double share) {
        if (values.length == 0) {
            throw new IllegalArgumentException("no values");
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int rank = (int) Math.ceil(share * sorted.length);
        return sorted[Math.max(0, Math.min(sorted.length - 1, rank - 1))];
    }
}
