package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.SpeculationParameters;
import io.millrace.engine.speculation.DrafterKind;
import io.millrace.operators.tiers.TierSettings;
import java.io.Serializable;
import java.time.Duration;
import java.util.Set;

/**
 * How Decode works.
 *
 * @param pendingTurnsMax turns that wait for room in the engine, beyond which no more input is read
 * @param maxUnacknowledgedSteps steps that the engine may be ahead of what was sent downstream
 * @param endedTurnTtl how long the last turn of a session can be sent again after it has ended
 * @param savesCancelsFirst whether a cancelled turn's end is said only when a checkpoint has the cancel
 * @param tiers how sessions use the tiers below the device
 * @param drafters whose guesses of the next tokens turns take that do not ask for less
 * @param maxDraftTokens most tokens of one guess; 0 for none
 */
public record DecodeSettings(
        int pendingTurnsMax,
        int maxUnacknowledgedSteps,
        Duration endedTurnTtl,
        boolean savesCancelsFirst,
        TierSettings tiers,
        Set<DrafterKind> drafters,
        int maxDraftTokens)
        implements Serializable {
    public DecodeSettings {
        checkPositive(pendingTurnsMax, "pendingTurnsMax");
        checkPositive(maxUnacknowledgedSteps, "maxUnacknowledgedSteps");
        requireNonNull(endedTurnTtl, "endedTurnTtl");
        requireNonNull(tiers, "tiers");
        drafters = Set.copyOf(drafters);
        if (maxDraftTokens < 0) {
            throw new IllegalArgumentException("maxDraftTokens must not be negative: " + maxDraftTokens);
        }
    }

    /** Whose guesses turns take that do not ask for less. */
    SpeculationParameters speculation() {
        return new SpeculationParameters(drafters, maxDraftTokens);
    }

    private static void checkPositive(int value, String name) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
    }
}
