package io.millrace.operators;

import static java.util.Objects.requireNonNull;

import io.millrace.proto.Turn;

/**
 * What identifies a turn.
 *
 * @param sessionId its session
 * @param requestId the request that began it
 */
public record TurnId(String sessionId, String requestId) {
    public TurnId {
        requireNonNull(sessionId, "sessionId");
        requireNonNull(requestId, "requestId");
    }

    /** The identity of a turn. */
    public static TurnId of(Turn turn) {
        return new TurnId(turn.getSessionId(), turn.getRequestId());
    }
}
