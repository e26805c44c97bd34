package io.millrace.operators.tiers;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LoadDecisionTest {
    private static final LoadDecision.Rates RATES = new LoadDecision.Rates(1000, 100, 10);

    @Test
    void loadsWhatIsFasterLoaded() {
        LoadDecision decision = new LoadDecision(LoadPolicy.MEASURED);
        // 1 s from HOST and 1 s from STATE against 3 s of computing.
        assertThat(decision.loads(new LoadDecision.Work(1000, 100, 30), RATES)).isTrue();
        assertThat(decision.loads(new LoadDecision.Work(1000, 100, 19), RATES)).isFalse();
        assertThat(decision.loads(new LoadDecision.Work(0, 300, 30), RATES)).isFalse();
        assertThat(decision.loads(new LoadDecision.Work(300, 0, 30), RATES)).isTrue();
    }

    @Test
    void policyOverridesRates() {
        LoadDecision.Work slow = new LoadDecision.Work(0, 1_000_000, 1);
        LoadDecision.Work fast = new LoadDecision.Work(1, 0, 1_000_000);
        assertThat(new LoadDecision(LoadPolicy.ALWAYS).loads(slow, RATES)).isTrue();
        assertThat(new LoadDecision(LoadPolicy.NEVER).loads(fast, RATES)).isFalse();
    }

    @Test
    void wrongRateIsMeasuredAgain() {
        LoadDecision decision = new LoadDecision(LoadPolicy.MEASURED);
        LoadDecision.Work slow = new LoadDecision.Work(0, 1_000_000, 1);
        int loads = 0;
        for (int i = 0; i < 3 * LoadDecision.PROBE_INTERVAL; i++) {
            loads += decision.loads(slow, RATES) ? 1 : 0;
        }
        assertThat(loads).isEqualTo(3);
    }

    @Test
    void fewMeasurementsMendAWrongRate() {
        RateMeter rate = new RateMeter(5);
        assertThat(rate.perSecond()).isEqualTo(5);
        rate.record(1, 1_000_000_000);
        assertThat(rate.perSecond()).isEqualTo(1);
        rate.record(0, 5);
        rate.record(5, 0);
        assertThat(rate.perSecond()).isEqualTo(1);
        for (int i = 0; i < 16; i++) {
            rate.record(1000, 1_000_000_000);
        }
        assertThat(rate.perSecond()).isBetween(980.0, 1000.0);
    }
}
