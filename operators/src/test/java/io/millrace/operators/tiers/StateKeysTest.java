package io.millrace.operators.tiers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class StateKeysTest {
    @Test
    void keysOfAttemptsAreNeverTheSame() {
        StateKeys first = new StateKeys(0);
        assertThat(first.take(3)).isZero();
        assertThat(first.take(1)).isEqualTo(3);
        StateKeys second = new StateKeys(7);
        assertThat(second.take(5)).isEqualTo(7L << 32);
        assertThat(second.take(5)).isEqualTo((7L << 32) + 5);
    }

    @Test
    void attemptOutOfRangeIsRefused() {
        assertThatThrownBy(() -> new StateKeys(-1)).hasMessageContaining("-1");
        assertThatThrownBy(() -> new StateKeys(1L << 31)).hasMessageContaining("attempt");
    }
}
