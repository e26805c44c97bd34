package io.millrace.operators.grammar;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Constraint;
import io.millrace.grammar.GrammarState;
import org.jspecify.annotations.Nullable;

/** A grammar as an engine asks for it. */
record GrammarConstraint(GrammarState state) implements Constraint {
    GrammarConstraint {
        requireNonNull(state, "state");
    }

    @Override
    public long[] allowed() {
        return state.allowed();
    }

    @Override
    public @Nullable Constraint after(int tokenId) {
        GrammarState next = state.after(tokenId);
        return next == null ? null : new GrammarConstraint(next);
    }

    @Override
    public int[] forced(int limit) {
        return state.forced(limit);
    }
}
