package io.millrace.operators.decode.coordination;

import static java.util.Objects.requireNonNull;

import io.millrace.proto.ControlRequest;
import io.millrace.proto.ControlResponse;
import io.millrace.proto.ListSessionsRequest;
import io.millrace.proto.SaveBlocksRequest;
import io.millrace.proto.SaveBlocksResult;
import io.millrace.proto.SessionsPage;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.runtime.operators.coordination.CoordinationRequest;
import org.apache.flink.runtime.operators.coordination.CoordinationResponse;

/**
 * Asks a running job's Decode.
 *
 * <p>Futures end with a {@link io.millrace.kv.ServingException} of Decode's ({@code UNAVAILABLE} where a subtask does
 * not run or does not answer in time, {@code QUEUE_FULL} where too much is asked at once), or with whatever the
 * transport fails with.
 */
public final class DecodeControlClient {
    /** The way to the coordinators of a job, such as {@code RestClusterClient.sendCoordinationRequest}. */
    @FunctionalInterface
    public interface Transport {
        /** Sends a request to the coordinator of the operator with this uid. */
        CompletableFuture<CoordinationResponse> send(String operatorUid, CoordinationRequest request);
    }

    private final String operatorUid;
    private final Transport transport;

    /** A client of the Decode with this uid. */
    public DecodeControlClient(String operatorUid, Transport transport) {
        this.operatorUid = requireNonNull(operatorUid, "operatorUid");
        this.transport = requireNonNull(transport, "transport");
    }

    /**
     * A page of the job's sessions.
     *
     * @param pageToken of the page before, empty for the first
     * @param limit sessions at most; 0 is as many as a page may have
     */
    public CompletableFuture<SessionsPage> sessions(String pageToken, int limit) {
        ControlRequest request = ControlRequest.newBuilder()
                .setListSessions(
                        ListSessionsRequest.newBuilder().setPageToken(pageToken).setLimit(limit))
                .build();
        return send(request).thenApply(ControlResponse::getSessions);
    }

    /**
     * Has every full block written that the STATE tier does not have, of all sessions.
     *
     * @param timeout how long the subtasks may take, at most 4 minutes
     * @return when they are written and so in the next checkpoint
     */
    public CompletableFuture<SaveBlocksResult> saveBlocks(Duration timeout) {
        ControlRequest request = ControlRequest.newBuilder()
                .setSaveBlocks(SaveBlocksRequest.getDefaultInstance())
                .setTimeoutMs(timeout.toMillis())
                .build();
        return send(request).thenApply(ControlResponse::getSaved);
    }

    private CompletableFuture<ControlResponse> send(ControlRequest request) {
        return transport.send(operatorUid, new DecodeControlRequest(request)).thenApply(answer -> {
            ControlResponse response = ControlResponses.unwrap(answer);
            if (response.hasError()) {
                throw ControlResponses.exception(response.getError());
            }
            return response;
        });
    }
}
