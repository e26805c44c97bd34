package io.millrace.bench.durability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import org.junit.jupiter.api.Test;

class RecoveryPartsTest {
    private static final long MS = 1_000_000;

    @Test
    void partsAddUp() {
        RecoveryParts parts = new RecoveryParts(5 * MS, 7 * MS, 20 * MS, 50 * MS, 90 * MS, 95 * MS);

        assertThat(parts.totalMs()).isEqualTo(90);
        assertThat(parts.partsMs())
                .containsExactly(
                        entry("failure_noticed", 2.0),
                        entry("restart", 13.0),
                        entry("restore", 30.0),
                        entry("load_or_compute", 40.0),
                        entry("first_token", 5.0));
    }

    @Test
    void aTimeOfACoarserClockThatLiesTooEarlyCostsNothing() {
        RecoveryParts parts = new RecoveryParts(5 * MS, 4 * MS, 20 * MS, 19 * MS, 90 * MS, 95 * MS);

        assertThat(parts.partsMs()).containsEntry("failure_noticed", 0.0).containsEntry("restore", 0.0);
        assertThat(parts.partsMs().values().stream().mapToDouble(ms -> ms).sum())
                .isEqualTo(parts.totalMs());
    }
}
