package io.millrace.bench.durability;

import io.millrace.bench.Figure;
import java.util.ArrayList;
import java.util.List;

/** Times between the tokens of streams that run beside each other, told apart by when they ended. */
final class TokenGaps {
    private final List<Gap> gaps = new ArrayList<>();

    /** A time between two tokens. */
    private record Gap(long endNanos, double ms) {}

    /** A span of time. */
    record Window(long beginNanos, long endNanos) {
        Window {
            if (endNanos < beginNanos) {
                throw new IllegalArgumentException("a window ends before it begins");
            }
        }
    }

    /** Adds the times at which a stream's tokens came, ascending. */
    void addStream(long[] tokenNanos) {
        for (int index = 1; index < tokenNanos.length; index++) {
            gaps.add(new Gap(tokenNanos[index], (tokenNanos[index] - tokenNanos[index - 1]) / 1e6));
        }
    }

    /** Milliseconds of each gap that ended within one of the windows. */
    double[] endedWithin(List<Window> windows) {
        return gaps.stream()
                .filter(gap -> windows.stream()
                        .anyMatch(window ->
                                gap.endNanos() - window.beginNanos() > 0 && gap.endNanos() - window.endNanos() <= 0))
                .mapToDouble(Gap::ms)
                .toArray();
    }

    /** The value that a share of those gaps does not exceed; NaN if there are none. */
    double percentileMs(List<Window> windows, double share) {
        double[] values = endedWithin(windows);
        return values.length == 0 ? Double.NaN : Figure.percentile(values, share);
    }
}
