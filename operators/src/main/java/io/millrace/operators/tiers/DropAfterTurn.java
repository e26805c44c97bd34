package io.millrace.operators.tiers;

import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Sessions have blocks in the tiers only while their turns run: enough to recover a turn, and nothing for the next. */
public final class DropAfterTurn implements SessionRetention {
    @Override
    public boolean keepsAfterTurn() {
        return false;
    }

    @Override
    public void used(String sessionId) {}

    @Override
    public void removed(String sessionId) {}

    @Override
    public @Nullable String next(Predicate<String> mayGive) {
        return null;
    }
}
