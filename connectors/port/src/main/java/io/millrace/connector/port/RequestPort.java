package io.millrace.connector.port;

import io.millrace.proto.AgentRequest;
import java.util.Optional;

/** How a gateway reaches the job, whatever carries the records: in the process, or over Kafka. */
public interface RequestPort {
    /**
     * Offers a request to the job: a chat, or a session to close, whose stream has one chunk that says so. A request of
     * the same session and request id as one that is known joins its turn.
     *
     * @throws io.millrace.kv.ServingException {@code QUEUE_FULL} if the port's bound is reached, {@code UNAVAILABLE} if
     *     no job takes requests
     */
    TurnStream submit(AgentRequest request);

    /** The turn of a request that was submitted before, if the port still knows it. */
    Optional<TurnStream> find(String sessionId, String requestId);

    /** Ends a turn early. Does nothing if it has ended or was never known. */
    void cancel(String sessionId, String requestId, String reason);

    /** Turns that have not ended. */
    int openTurns();

    /** Whether a job is taking requests. */
    boolean isReady();
}
