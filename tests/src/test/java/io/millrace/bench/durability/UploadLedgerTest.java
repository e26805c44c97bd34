package io.millrace.bench.durability;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UploadLedgerTest {
    private final UploadLedger ledger = new UploadLedger();

    @Test
    void uploadsAreHeldAgainstWhatWasNewOverAllCheckpoints() {
        ledger.add(new UploadLedger.Entry(100, 300, 1000, 1000, 5));
        ledger.add(new UploadLedger.Entry(300, 100, 1000, 1000, 7));

        assertThat(ledger.uploadedOverNew()).isEqualTo(1);
        assertThat(ledger.meanUploadedBytes()).isEqualTo(200);
        assertThat(ledger.meanNewBytes()).isEqualTo(200);
        assertThat(ledger.syncMs()).containsExactly(5.0, 7.0);
        assertThat(ledger.size()).isEqualTo(2);
    }

    @Test
    void diskIsJudgedByItsWorstMoment() {
        ledger.add(new UploadLedger.Entry(0, 0, 0, 500, 0));
        ledger.add(new UploadLedger.Entry(0, 0, 1000, 1800, 0));
        ledger.add(new UploadLedger.Entry(0, 0, 1000, 1100, 0));

        assertThat(ledger.worstDiskOverLive()).isEqualTo(1.8);
    }

    @Test
    void withoutAnythingNewThereIsNoRatio() {
        assertThat(ledger.uploadedOverNew()).isNaN();
        assertThat(ledger.worstDiskOverLive()).isNaN();
        ledger.add(new UploadLedger.Entry(0, 10, 0, 0, 0));
        assertThat(ledger.uploadedOverNew()).isNaN();
    }
}
