package io.millrace.connector.local;

import io.millrace.proto.AgentRequest;

/** What identifies a turn. */
record TurnKey(String sessionId, String requestId) {
    static TurnKey of(AgentRequest request) {
        return new TurnKey(request.getSessionId(), request.getRequestId());
    }
}
