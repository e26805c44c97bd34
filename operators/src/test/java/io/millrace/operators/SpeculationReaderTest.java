package io.millrace.operators;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.SpeculationParameters;
import io.millrace.engine.speculation.DrafterKind;
import io.millrace.proto.SpeculationHints;
import io.millrace.proto.SpeculationHints.Drafter;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SpeculationReaderTest {
    private static final SpeculationParameters ALLOWED =
            new SpeculationParameters(Set.of(DrafterKind.CONSTRAINT, DrafterKind.LOOKUP), 8);

    @Test
    void whoAsksForNothingHasWhatTheJobHas() {
        assertThat(SpeculationReader.read(SpeculationHints.getDefaultInstance(), ALLOWED))
                .isEqualTo(ALLOWED);
    }

    @Test
    void nobodyHasMoreThanTheJob() {
        SpeculationHints hints = SpeculationHints.newBuilder()
                .addDrafters(Drafter.PROMPT_LOOKUP)
                .addDrafters(Drafter.DRAFT_MODEL)
                .setMaxDraftTokens(64)
                .build();
        assertThat(SpeculationReader.read(hints, ALLOWED))
                .isEqualTo(new SpeculationParameters(Set.of(DrafterKind.LOOKUP), 8));
        assertThat(SpeculationReader.read(
                        SpeculationHints.newBuilder().setMaxDraftTokens(3).build(), ALLOWED))
                .isEqualTo(new SpeculationParameters(ALLOWED.drafters(), 3));
    }

    @Test
    void itCanBeTurnedOff() {
        assertThat(SpeculationReader.read(
                                SpeculationHints.newBuilder().setOff(true).build(), ALLOWED)
                        .isOn())
                .isFalse();
    }
}
