package io.millrace.operators;

import static java.util.Objects.requireNonNull;

import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.HistogramStatistics;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;

/** A histogram of times that is filled with nanoseconds and read in seconds, over the latest 1,024 values. */
public final class SecondsHistogram implements Histogram {
    private static final int WINDOW_SIZE = 1024;
    private static final double NANOS_PER_SECOND = 1e9;

    private final DescriptiveStatisticsHistogram nanos = new DescriptiveStatisticsHistogram(WINDOW_SIZE);

    /** Adds a time in nanoseconds. */
    @Override
    public void update(long value) {
        nanos.update(value);
    }

    @Override
    public long getCount() {
        return nanos.getCount();
    }

    @Override
    public HistogramStatistics getStatistics() {
        return new Seconds(nanos.getStatistics());
    }

    /** The same statistics in seconds. Whole numbers, where the interface wants them, are rounded. */
    private static final class Seconds extends HistogramStatistics {
        private final HistogramStatistics nanos;

        Seconds(HistogramStatistics nanos) {
            this.nanos = requireNonNull(nanos, "nanos");
        }

        @Override
        public double getQuantile(double quantile) {
            return nanos.getQuantile(quantile) / NANOS_PER_SECOND;
        }

        @Override
        public long[] getValues() {
            long[] values = nanos.getValues();
            for (int i = 0; i < values.length; i++) {
                values[i] = Math.round(values[i] / NANOS_PER_SECOND);
            }
            return values;
        }

        @Override
        public int size() {
            return nanos.size();
        }

        @Override
        public double getMean() {
            return nanos.getMean() / NANOS_PER_SECOND;
        }

        @Override
        public double getStdDev() {
            return nanos.getStdDev() / NANOS_PER_SECOND;
        }

        @Override
        public long getMax() {
            return Math.round(nanos.getMax() / NANOS_PER_SECOND);
        }

        @Override
        public long getMin() {
            return Math.round(nanos.getMin() / NANOS_PER_SECOND);
        }
    }
}
