package io.millrace.operators.tiers;

import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Which sessions keep their blocks in the STATE tier, and which give them up first. Used on the task thread. */
public interface SessionRetention {
    /** Whether a session's blocks are kept once its turns have ended. */
    boolean keepsAfterTurn();

    /** A session with blocks was used. */
    void used(String sessionId);

    /** A session has no blocks any more. */
    void removed(String sessionId);

    /** The session that gives up its blocks next; null if none of those that may has any. */
    @Nullable
    String next(Predicate<String> mayGive);
}
