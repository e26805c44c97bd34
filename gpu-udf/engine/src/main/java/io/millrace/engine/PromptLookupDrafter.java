package io.millrace.engine;

import io.millrace.engine.speculation.DrafterKind;
import io.millrace.engine.speculation.TokenIndex;
import java.util.List;

/** Guesses that what followed the latest tokens where they were before in the sequence follows again. */
final class PromptLookupDrafter implements Drafter {
    @Override
    public DrafterKind kind() {
        return DrafterKind.LOOKUP;
    }

    @Override
    public void guess(List<Draft> drafts) {
        for (Draft draft : drafts) {
            TokenIndex index = draft.index();
            int count = draft.sequence().tokenCount();
            int source = index.find(draft.sequence().tokens(), count);
            if (source != TokenIndex.NONE) {
                copy(draft, source, count);
                draft.guess(DrafterKind.LOOKUP, draft.limit(), index.matchTokens());
            }
        }
    }

    /** Text that repeats itself goes on in what is guessed already. */
    private static void copy(Draft draft, int source, int count) {
        int[] tokens = draft.sequence().tokens();
        int[] guess = draft.tokens();
        for (int i = 0; i < draft.limit(); i++) {
            int from = source + i;
            guess[i] = from < count ? tokens[from] : guess[from - count];
        }
    }
}
