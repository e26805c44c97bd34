package io.millrace.operators;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.apache.flink.metrics.HistogramStatistics;
import org.junit.jupiter.api.Test;

class SecondsHistogramTest {
    @Test
    void isFilledWithNanosecondsAndReadInSeconds() {
        SecondsHistogram histogram = new SecondsHistogram();
        for (int i = 1; i <= 100; i++) {
            histogram.update(i * 1_000_000L);
        }
        histogram.update(3_000_000_000L);
        HistogramStatistics statistics = histogram.getStatistics();
        assertThat(histogram.getCount()).isEqualTo(101);
        assertThat(statistics.size()).isEqualTo(101);
        assertThat(statistics.getQuantile(0.5)).isCloseTo(0.051, within(1e-9));
        assertThat(statistics.getMean()).isCloseTo((5.05 + 3) / 101, within(1e-9));
        assertThat(statistics.getStdDev()).isBetween(0.2, 0.4);
        assertThat(statistics.getMax()).isEqualTo(3);
        assertThat(statistics.getMin()).isZero();
        assertThat(statistics.getValues()).contains(0, 3);
    }
}
