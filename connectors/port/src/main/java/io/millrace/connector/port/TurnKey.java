package io.millrace.connector.port;

import static java.util.Objects.requireNonNull;

import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;

/**
 * What identifies a turn.
 *
 * @param sessionId the session of the turn
 * @param requestId the request that began it
 */
public record TurnKey(String sessionId, String requestId) {
    public TurnKey {
        requireNonNull(sessionId, "sessionId");
        requireNonNull(requestId, "requestId");
    }

    /** The turn that a request begins, or speaks of. */
    public static TurnKey of(AgentRequest request) {
        return new TurnKey(request.getSessionId(), request.getRequestId());
    }

    /** The turn of a chunk. */
    public static TurnKey of(TokenChunk chunk) {
        return new TurnKey(chunk.getSessionId(), chunk.getRequestId());
    }
}
