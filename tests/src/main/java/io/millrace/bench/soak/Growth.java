package io.millrace.bench.soak;

import io.millrace.bench.Figure;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;

/** Compares what a run used in the first third of its samples with what it used in the last. */
final class Growth {
    private static final double MEBIBYTE = 1 << 20;

    /** What is looked at, and how much of a difference is noise. */
    private enum Measure {
        HEAP("heap, MiB", Usage::heapBytes, MEBIBYTE, 1.15, 16),
        DIRECT("direct memory, MiB", Usage::directBytes, MEBIBYTE, 1.1, 4),
        RESIDENT("resident memory, MiB", Usage::residentBytes, MEBIBYTE, 1.25, 64),
        FILES("open files", Usage::openFiles, 1, 1.1, 24),
        THREADS("threads", Usage::threads, 1, 1.1, 12);

        private final String title;
        private final ToLongFunction<Usage> value;
        private final double unit;
        private final double factorMax;
        private final double noise;

        Measure(String title, ToLongFunction<Usage> value, double unit, double factorMax, double noise) {
            this.title = title;
            this.value = value;
            this.unit = unit;
            this.factorMax = factorMax;
            this.noise = noise;
        }

        double median(List<Usage> samples) {
            return Figure.median(samples.stream()
                    .map(sample -> value.applyAsLong(sample) / unit)
                    .toList());
        }
    }

    private final List<Usage> first;
    private final List<Usage> last;

    /** Of samples in their order; at least three. */
    Growth(List<Usage> samples) {
        int third = samples.size() / 3;
        if (third == 0) {
            throw new IllegalArgumentException("growth needs three samples at least, not " + samples.size());
        }
        first = List.copyOf(samples.subList(0, third));
        last = List.copyOf(samples.subList(samples.size() - third, samples.size()));
    }

    /** A line for each measure. */
    List<String> table() {
        List<String> lines = new ArrayList<>();
        lines.add("%-22s %14s %14s".formatted("medians", "first third", "last third"));
        for (Measure measure : Measure.values()) {
            lines.add(String.format(
                    Locale.ROOT, "%-22s %14.1f %14.1f", measure.title, measure.median(first), measure.median(last)));
        }
        return lines;
    }

    /** What grew by more than noise. */
    List<String> grown() {
        List<String> grown = new ArrayList<>();
        for (Measure measure : Measure.values()) {
            double before = measure.median(first);
            double after = measure.median(last);
            if (after > before * measure.factorMax + measure.noise) {
                grown.add(String.format(Locale.ROOT, "%s grew from %.1f to %.1f", measure.title, before, after));
            }
        }
        return grown;
    }
}
