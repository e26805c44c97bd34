package io.millrace.operators.decode.coordination;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.proto.ControlCall;
import io.millrace.proto.ControlRequest;
import io.millrace.proto.ControlResponse;
import io.millrace.proto.ListSessionsRequest;
import io.millrace.proto.SaveBlocksResult;
import io.millrace.proto.SessionsPage;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;
import org.apache.flink.runtime.operators.coordination.OperatorEventDispatcher;
import org.apache.flink.runtime.operators.coordination.OperatorEventGateway;
import org.apache.flink.runtime.operators.coordination.OperatorEventHandler;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers what the coordinator asks a subtask of Decode. Used on the task thread. Whatever goes wrong is an answer:
 * nobody's question ends the task.
 */
public final class DecodeControl implements OperatorEventHandler {
    private static final Logger LOG = LoggerFactory.getLogger(DecodeControl.class);

    /** An answer of more bytes is a defect. */
    private static final int ANSWER_BYTES_MAX = 4 << 20;

    private final OperatorEventGateway coordinator;
    /** Calls that the save under way will answer. */
    private final List<Long> saving = new ArrayList<>();
    /** Calls that came after it began: it may have passed what they ask for. As many as the coordinator lets by. */
    private final List<Long> savingNext = new ArrayList<>();

    private @Nullable DecodeSessions sessions;

    /** The subtask's side of a coordinator. */
    public DecodeControl(OperatorEventGateway coordinator) {
        this.coordinator = requireNonNull(coordinator, "coordinator");
    }

    /**
     * Makes the control of an operator that is being made, and has it get the coordinator's events. The operator's
     * factory is a {@link org.apache.flink.streaming.api.operators.CoordinatedOperatorFactory}.
     */
    public static DecodeControl register(StreamOperatorParameters<?> parameters) {
        OperatorID operatorId = parameters.getStreamConfig().getOperatorID();
        OperatorEventDispatcher events = parameters.getOperatorEventDispatcher();
        DecodeControl control = new DecodeControl(events.getOperatorEventGateway(operatorId));
        events.registerEventHandler(operatorId, control);
        return control;
    }

    /** Begins to answer: the operator is open. */
    public void serve(DecodeSessions opened) {
        this.sessions = requireNonNull(opened, "opened");
    }

    @Override
    public void handleOperatorEvent(OperatorEvent event) {
        ControlCall call;
        try {
            call = ((DecodeControlEvent) event).call();
        } catch (Exception e) {
            LOG.error("an event of the coordinator cannot be read: {}", event, e);
            return;
        }
        try {
            handle(call.getCallId(), call.getRequest());
        } catch (Exception e) {
            LOG.warn("a request of the coordinator failed", e);
            answer(call.getCallId(), ControlResponses.error(e));
        }
    }

    private void handle(long callId, ControlRequest request) throws Exception {
        DecodeSessions served = sessions;
        if (served == null) {
            answer(callId, ControlResponses.error(ErrorCode.UNAVAILABLE, "decode is still starting"));
            return;
        }
        switch (request.getKindCase()) {
            case LIST_SESSIONS -> answer(callId, page(served, request.getListSessions()));
            case SAVE_BLOCKS -> save(served, callId);
            case KIND_NOT_SET ->
                answer(callId, ControlResponses.error(ErrorCode.INVALID_REQUEST, "decode does not know this request"));
        }
    }

    private static ControlResponse page(DecodeSessions served, ListSessionsRequest request) throws Exception {
        SessionsPage page = served.sessions(request.getPageToken(), request.getLimit());
        if (page.getSessionsCount() > request.getLimit()
                || page.getNextPageToken().length() > DecodeSessions.PAGE_TOKEN_CHARS_MAX
                || page.getSerializedSize() > ANSWER_BYTES_MAX) {
            throw new IllegalStateException("a page of " + page.getSessionsCount() + " sessions has "
                    + page.getSerializedSize() + " bytes and a token of "
                    + page.getNextPageToken().length() + " characters");
        }
        return ControlResponse.newBuilder().setSessions(page).build();
    }

    private void save(DecodeSessions served, long callId) {
        if (saving.isEmpty()) {
            saving.add(callId);
            beginSave(served);
        } else {
            savingNext.add(callId);
        }
    }

    private void beginSave(DecodeSessions served) {
        try {
            served.saveAll(result -> saved(served, result));
        } catch (Exception e) {
            LOG.warn("the blocks of the sessions could not be saved", e);
            saveEnded(served, ControlResponses.error(e));
        }
    }

    private void saved(DecodeSessions served, SaveBlocksResult result) {
        saveEnded(served, ControlResponse.newBuilder().setSaved(result).build());
    }

    private void saveEnded(DecodeSessions served, ControlResponse response) {
        List<Long> answered = List.copyOf(saving);
        saving.clear();
        saving.addAll(savingNext);
        savingNext.clear();
        for (long callId : answered) {
            answer(callId, response);
        }
        if (!saving.isEmpty()) {
            beginSave(served);
        }
    }

    private void answer(long callId, ControlResponse response) {
        coordinator.sendEventToCoordinator(new DecodeControlEvent(
                ControlCall.newBuilder().setCallId(callId).setResponse(response).build()));
    }
}
