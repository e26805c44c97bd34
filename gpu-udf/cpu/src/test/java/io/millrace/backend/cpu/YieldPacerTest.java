package io.millrace.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class YieldPacerTest {
    private long now;
    private long offerNanos;
    private int offers;
    private final YieldPacer pacer = new YieldPacer(
            () -> {
                offers++;
                now += offerNanos;
            },
            () -> now);

    @Test
    void offersEveryFewRegionsWhereOffersComeBackSoon() {
        offerNanos = 100_000;
        regions(10 * YieldPacer.NEAREST_REGIONS);
        assertThat(offers).isEqualTo(10);
    }

    @Test
    void offersRarelyWhereAnotherComputes() {
        offerNanos = 3_000_000;
        regions(100 * YieldPacer.FARTHEST_REGIONS);
        assertThat(offers).isBetween(100, 105);
    }

    @Test
    void offersOftenAgainOnceTheOtherIsGone() {
        offerNanos = 3_000_000;
        regions(10 * YieldPacer.FARTHEST_REGIONS);
        offerNanos = 0;
        regions(3 * YieldPacer.FARTHEST_REGIONS);
        offers = 0;
        regions(10 * YieldPacer.NEAREST_REGIONS);
        assertThat(offers).isEqualTo(10);
    }

    private void regions(int count) {
        for (int region = 0; region < count; region++) {
            pacer.regionDone();
        }
    }
}
