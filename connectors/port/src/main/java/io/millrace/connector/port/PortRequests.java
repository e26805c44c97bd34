package io.millrace.connector.port;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.CancelRequest;

/** What all ports ask of requests, and the requests that they make themselves. */
public final class PortRequests {
    private PortRequests() {}

    /**
     * Checks that a request can begin or find a turn.
     *
     * @throws ServingException {@code INVALID_REQUEST} if not
     */
    public static void check(AgentRequest request) {
        if (!request.hasChat() && !request.hasClose() && !request.hasResend()) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST, "a request needs a chat, a session to close, or a turn to send again");
        }
        if (request.getSessionId().isEmpty() || request.getRequestId().isEmpty()) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "a request needs a session id and a request id");
        }
    }

    /** The request that ends a turn early. */
    public static AgentRequest cancel(String sessionId, String requestId, String reason) {
        return AgentRequest.newBuilder()
                .setSessionId(sessionId)
                .setRequestId(requestId)
                .setCancel(CancelRequest.newBuilder().setReason(reason))
                .build();
    }
}
