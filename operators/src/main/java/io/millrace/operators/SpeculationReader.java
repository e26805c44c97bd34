package io.millrace.operators;

import io.millrace.engine.SpeculationParameters;
import io.millrace.engine.speculation.DrafterKind;
import io.millrace.proto.SpeculationHints;
import io.millrace.proto.SpeculationHints.Drafter;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a request's hints at speculation. They are no more than that: what is not there is not missed. */
public final class SpeculationReader {
    private SpeculationReader() {}

    /**
     * What a turn's request wants of what the job allows.
     *
     * @param allowed as the job is set
     */
    public static SpeculationParameters read(SpeculationHints hints, SpeculationParameters allowed) {
        if (hints.getOff()) {
            return SpeculationParameters.OFF;
        }
        int asked = hints.getMaxDraftTokens();
        int maxDraftTokens = asked <= 0 ? allowed.maxDraftTokens() : Math.min(asked, allowed.maxDraftTokens());
        Set<DrafterKind> drafters = allowed.drafters();
        if (hints.getDraftersCount() > 0) {
            Set<DrafterKind> wanted = EnumSet.noneOf(DrafterKind.class);
            for (Drafter drafter : hints.getDraftersList()) {
                DrafterKind kind = kind(drafter);
                if (kind != null && drafters.contains(kind)) {
                    wanted.add(kind);
                }
            }
            drafters = wanted;
        }
        return new SpeculationParameters(drafters, maxDraftTokens);
    }

    private static @Nullable DrafterKind kind(Drafter drafter) {
        return switch (drafter) {
            case CONSTRAINT -> DrafterKind.CONSTRAINT;
            case PROMPT_LOOKUP -> DrafterKind.LOOKUP;
            case DRAFT_MODEL -> DrafterKind.MODEL;
            // What a later version knows.
            case DRAFTER_UNSPECIFIED, UNRECOGNIZED -> null;
        };
    }
}
