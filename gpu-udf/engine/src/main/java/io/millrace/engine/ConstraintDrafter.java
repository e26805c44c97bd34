package io.millrace.engine;

import io.millrace.engine.speculation.DrafterKind;
import java.util.List;

/** Guesses the only way on that a constraint leaves. */
final class ConstraintDrafter implements Drafter {
    @Override
    public DrafterKind kind() {
        return DrafterKind.CONSTRAINT;
    }

    @Override
    public void guess(List<Draft> drafts) {
        for (Draft draft : drafts) {
            Constraint constraint = draft.sequence().constraint;
            if (constraint == null) {
                continue;
            }
            int[] forced;
            try {
                forced = constraint.forced(draft.limit());
            } catch (RuntimeException e) {
                draft.breakOff(e);
                continue;
            }
            int count = Math.min(forced.length, draft.limit());
            if (count > 0) {
                System.arraycopy(forced, 0, draft.tokens(), 0, count);
                draft.guess(DrafterKind.CONSTRAINT, count, 0);
            }
        }
    }
}
