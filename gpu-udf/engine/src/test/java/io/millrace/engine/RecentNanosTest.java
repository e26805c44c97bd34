package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RecentNanosTest {
    private final RecentNanos times = new RecentNanos();

    @Test
    void quantilesAreTooLongByAnEighthAtMost() {
        assertThat(times.quantile(0.99)).isZero();
        for (int i = 1; i <= 1000; i++) {
            times.add(i * 1000L);
        }
        for (double share : new double[] {0.001, 0.5, 0.99, 1}) {
            long exact = Math.round(share * 1000) * 1000;
            assertThat(times.quantile(share)).isBetween(exact, exact + exact / 8);
        }
    }

    @Test
    void anyTimeHasItsPlace() {
        for (long nanos : new long[] {-1, 0, 1, 7, 8, 9, 15, 16, 17, 1L << 40}) {
            RecentNanos one = new RecentNanos();
            one.add(nanos);
            long shown = one.quantile(1);
            assertThat(shown).isGreaterThanOrEqualTo(nanos);
            assertThat(shown).isLessThanOrEqualTo(Math.max(0, nanos) + Math.max(0, nanos) / 8);
        }
        RecentNanos forever = new RecentNanos();
        forever.add(Long.MAX_VALUE);
        assertThat(forever.quantile(1)).isEqualTo((1L << 41) - 1);
    }

    @Test
    void whatIsLongAgoIsForgotten() {
        times.add(1_000_000);
        for (int i = 0; i < RecentNanos.WINDOW - 1; i++) {
            times.add(5);
        }
        assertThat(times.quantile(1)).isGreaterThanOrEqualTo(1_000_000);
        for (int i = 0; i < RecentNanos.WINDOW + 1; i++) {
            times.add(5);
        }
        assertThat(times.quantile(1)).isEqualTo(5);
    }
}
