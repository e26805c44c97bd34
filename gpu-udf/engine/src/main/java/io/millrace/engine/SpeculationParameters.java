package io.millrace.engine;

import io.millrace.engine.speculation.DrafterKind;
import java.util.EnumSet;
import java.util.Set;

/**
 * Whose guesses of the next tokens a sequence takes. They decide how fast its output comes, never what it is.
 *
 * @param drafters the kinds that are asked; those that the engine does not have are passed over
 * @param maxDraftTokens most tokens of one guess; 0 where no kind is asked
 */
public record SpeculationParameters(Set<DrafterKind> drafters, int maxDraftTokens) {
    /** Most tokens of one guess, where nothing else is said. */
    public static final int DEFAULT_MAX_DRAFT_TOKENS = 16;

    /** No guesses: a token a step. */
    public static final SpeculationParameters OFF = new SpeculationParameters(Set.of(), 0);

    /** Every kind that the engine has. */
    public static final SpeculationParameters ALL =
            new SpeculationParameters(EnumSet.allOf(DrafterKind.class), DEFAULT_MAX_DRAFT_TOKENS);

    public SpeculationParameters {
        drafters = Set.copyOf(drafters);
        if (maxDraftTokens < 0) {
            throw new IllegalArgumentException("maxDraftTokens must not be negative: " + maxDraftTokens);
        }
    }

    /** Whether any kind is asked. */
    public boolean isOn() {
        return maxDraftTokens > 0 && !drafters.isEmpty();
    }
}
