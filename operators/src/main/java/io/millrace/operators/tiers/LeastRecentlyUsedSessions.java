package io.millrace.operators.tiers;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Sessions keep their blocks; those that were used least recently give them up first. */
public final class LeastRecentlyUsedSessions implements SessionRetention {
    private final Set<String> sessionIds = new LinkedHashSet<>();

    @Override
    public boolean keepsAfterTurn() {
        return true;
    }

    @Override
    public void used(String sessionId) {
        sessionIds.remove(sessionId);
        sessionIds.add(sessionId);
    }

    @Override
    public void removed(String sessionId) {
        sessionIds.remove(sessionId);
    }

    @Override
    public @Nullable String next(Predicate<String> mayGive) {
        for (String sessionId : sessionIds) {
            if (mayGive.test(sessionId)) {
                return sessionId;
            }
        }
        return null;
    }
}
