package io.millrace.operators;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.SamplingParameters;
import io.millrace.kv.ServingException;
import io.millrace.proto.SamplingParams;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SamplingReaderTest {
    private static final SamplingParams DEFAULTS =
            SamplingParams.newBuilder().setMaxTokens(5).build();

    @Test
    void whatWasNotSaidIsNeutral() {
        assertThat(SamplingReader.read(DEFAULTS, 100)).isEqualTo(SamplingParameters.greedy(5));
    }

    @Test
    void everythingIsRead() {
        SamplingParams params = SamplingParams.newBuilder()
                .setMaxTokens(5)
                .setTemperature(0.5f)
                .setTopK(3)
                .setTopP(0.9f)
                .setMinP(0.1f)
                .setRepetitionPenalty(1.1f)
                .setPresencePenalty(0.2f)
                .setFrequencyPenalty(0.3f)
                .putLogitBias(7, 1.5f)
                .addStopTokenIds(9)
                .setSeed(11)
                .setIgnoreEos(true)
                .setMinTokens(2)
                .build();
        assertThat(SamplingReader.read(params, 100))
                .isEqualTo(new SamplingParameters(
                        5, 0.5f, 3, 0.9f, 0.1f, 1.1f, 0.2f, 0.3f, Map.of(7, 1.5f), Set.of(9), 11, true, 2));
    }

    @Test
    void whatIsOutOfRangeIsNamed() {
        assertRefused(DEFAULTS.toBuilder().setTemperature(Float.NaN), "temperature");
        assertRefused(DEFAULTS.toBuilder().setTopP(1.5f), "top_p");
        assertRefused(DEFAULTS.toBuilder().putLogitBias(100, 1), "logit_bias");
        assertRefused(DEFAULTS.toBuilder().addStopTokenIds(-1), "stop_token_ids");
        assertRefused(DEFAULTS.toBuilder().addStop(""), "stop");
        assertRefused(DEFAULTS.toBuilder().addStop("x".repeat(2000)), "stop");
        assertRefused(DEFAULTS.toBuilder().addAllStop(Collections.nCopies(65, "x")), "stop");
    }

    private static void assertRefused(SamplingParams.Builder params, String param) {
        assertThatThrownBy(() -> SamplingReader.read(params.build(), 100))
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.param()).isEqualTo(param));
    }
}
