package io.millrace.bench.durability;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TokenGapsTest {
    private static final long MS = 1_000_000;

    private final TokenGaps gaps = new TokenGaps();

    @Test
    void aGapBelongsToTheWindowThatItEndsIn() {
        gaps.addStream(new long[] {0, 10 * MS, 30 * MS, 60 * MS});
        gaps.addStream(new long[] {5 * MS, 35 * MS});

        assertThat(gaps.endedWithin(List.of(window(0, 20)))).containsExactly(10);
        assertThat(gaps.endedWithin(List.of(window(20, 40)))).containsExactly(20, 30);
        assertThat(gaps.endedWithin(List.of(window(0, 20), window(40, 60)))).containsExactly(10, 30);
        assertThat(gaps.endedWithin(List.of())).isEmpty();
    }

    @Test
    void percentileIsOfTheWindowsGaps() {
        gaps.addStream(new long[] {0, 10 * MS, 30 * MS, 60 * MS});

        assertThat(gaps.percentileMs(List.of(window(0, 60)), 0.5)).isEqualTo(20);
        assertThat(gaps.percentileMs(List.of(window(0, 60)), 0.99)).isEqualTo(30);
        assertThat(gaps.percentileMs(List.of(window(70, 80)), 0.99)).isNaN();
    }

    private static TokenGaps.Window window(long beginMs, long endMs) {
        return new TokenGaps.Window(beginMs * MS, endMs * MS);
    }
}
