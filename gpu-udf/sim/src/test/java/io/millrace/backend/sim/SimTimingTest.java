package io.millrace.backend.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class SimTimingTest {
    private final SimTiming defaults = SimTiming.of(Map.of());

    @Test
    void prefillGrowsWithItsTokens() {
        // 4.209989e-07 * 2000² + 1.518344e-02 * 2000 + 16.50142 = 1.684 + 30.367 + 16.501
        assertThat(ms(defaults.stepNanos(2000, false, 0.5))).isCloseTo(48.552, within(0.001));
        assertThat(ms(defaults.stepNanos(1, false, 0))).isCloseTo(16.517, within(0.001));
    }

    @Test
    void decodeGrowsWithTheBlocksInUse() {
        assertThat(ms(defaults.stepNanos(0, true, 0))).isCloseTo(5.74, within(0.001));
        // -25.74 * 0.25 + 54.01 * 0.5 + 5.74
        assertThat(ms(defaults.stepNanos(0, true, 0.5))).isCloseTo(26.31, within(0.001));
        assertThat(defaults.stepNanos(0, true, 1.5)).isEqualTo(defaults.stepNanos(0, true, 1));
    }

    @Test
    void decodeTakesTheLeastAtLeast() {
        SimTiming fast = SimTiming.of(Map.of("decode_constant_ms", "-7", "decode_least_ms", "0.25"));
        assertThat(ms(fast.stepNanos(0, true, 0))).isEqualTo(0.25);
    }

    @Test
    void mixedStepTakesBoth() {
        assertThat(defaults.stepNanos(100, true, 0.25))
                .isCloseTo(defaults.stepNanos(100, false, 0.25) + defaults.stepNanos(0, true, 0.25), Offset.offset(2L));
        assertThat(defaults.stepNanos(0, false, 0.25)).isZero();
    }

    @Test
    void blocksTakeTheirBytesOverTheRate() {
        assertThat(defaults.transferNanos(64_000_000)).isEqualTo(1_000_000);
    }

    @Test
    void scaleMultipliesEverything() {
        SimTiming half = SimTiming.of(Map.of("time_scale", "0.5"));
        assertThat(half.stepNanos(2000, true, 0.5))
                .isCloseTo(defaults.stepNanos(2000, true, 0.5) / 2, Offset.offset(1L));
        assertThat(half.transferNanos(64_000_000)).isEqualTo(500_000);
        SimTiming none = SimTiming.of(Map.of("time_scale", "0"));
        assertThat(none.stepNanos(2000, true, 0.5)).isZero();
        assertThat(none.transferNanos(1L << 40)).isZero();
    }

    @Test
    void wrongSettingsAreNamed() {
        assertRefused(Map.of("speed", "1"), "there is no parameter speed; there are [time_scale, ");
        assertRefused(Map.of("time_scale", "fast"), "parameter time_scale must be a number, not \"fast\"");
        assertRefused(Map.of("time_scale", "NaN"), "parameter time_scale must be a number");
        assertRefused(Map.of("time_scale", "-1"), "parameter time_scale is out of its range: -1.0");
        assertRefused(Map.of("transfer_bytes_per_second", "0"), "transfer_bytes_per_second is out of its range");
    }

    private static void assertRefused(Map<String, String> parameters, String message) {
        assertThatThrownBy(() -> SimTiming.of(parameters))
                .hasMessageContaining(message)
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST));
    }

    private static double ms(long nanos) {
        return nanos / 1e6;
    }

    private static Offset<Double> within(double distance) {
        return Offset.offset(distance);
    }
}
