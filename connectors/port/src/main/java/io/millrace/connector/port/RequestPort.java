package io.millrace.connector.port;

import io.millrace.proto.AgentRequest;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** How a gateway reaches the job, whatever carries the records: in the process, or over Kafka. */
public interface RequestPort {
    /**
     * Offers a request to the job: a chat; a session to close, whose stream has one chunk that says so; or a turn to
     * send again, whose stream has its chunks from the first, and fails with {@code TURN_NOT_FOUND} if the job does not
     * know it and {@code OUTPUT_NOT_HELD} if they are nowhere any more. A request of the same session and request id as
     * one that is known joins its turn.
     *
     * <p>Does not wait. A request that the job cannot be given after all ends its stream with {@code UNAVAILABLE}, and
     * the port then forgets it, so that it can be submitted again.
     *
     * @throws io.millrace.kv.ServingException {@code QUEUE_FULL} if the port's bound is reached, {@code UNAVAILABLE} if
     *     no job takes requests
     */
    TurnStream submit(AgentRequest request);

    /** The turn of a request that was submitted before, if the port still knows it. */
    Optional<TurnStream> find(String sessionId, String requestId);

    /**
     * Ends a turn early. Changes nothing if it has ended.
     *
     * @return done when the wish will outlive this process if the job does; false if the port knows that there is no
     *     such turn. Fails with a {@link io.millrace.kv.ServingException} {@code UNAVAILABLE} if the job cannot be told
     */
    CompletionStage<Boolean> cancel(String sessionId, String requestId, String reason);

    /** Turns that have not ended. */
    int openTurns();

    /** Whether a job is taking requests. */
    boolean isReady();
}
