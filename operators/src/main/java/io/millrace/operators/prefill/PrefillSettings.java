package io.millrace.operators.prefill;

import static java.util.Objects.requireNonNull;

import io.millrace.operators.handover.HandoverSettings;
import java.io.Serializable;

/**
 * How Prefill works.
 *
 * @param minUncachedTokens a prompt of which more tokens than this are not cached is computed here; others pass
 * @param pendingTurnsMax turns held here beyond which no more input is read
 * @param handover how blocks go to Decode
 */
public record PrefillSettings(int minUncachedTokens, int pendingTurnsMax, HandoverSettings handover)
        implements Serializable {
    public PrefillSettings {
        if (minUncachedTokens < 0) {
            throw new IllegalArgumentException("minUncachedTokens must not be negative: " + minUncachedTokens);
        }
        if (pendingTurnsMax <= 0) {
            throw new IllegalArgumentException("pendingTurnsMax must be positive: " + pendingTurnsMax);
        }
        requireNonNull(handover, "handover");
    }
}
