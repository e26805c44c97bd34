package io.millrace.connector.local;

import io.millrace.connector.port.OrderedTurnStream;
import io.millrace.connector.port.TurnKey;
import io.millrace.proto.AgentRequest;
import org.jspecify.annotations.Nullable;

/**
 * One turn at a {@link LocalPort}, with what the job is to be offered again while it is open. The port's lock guards
 * it.
 */
final class LocalTurnStream extends OrderedTurnStream {
    private @Nullable AgentRequest request;
    private @Nullable AgentRequest cancel;
    private int repairedChunkCount = -1;

    LocalTurnStream(AgentRequest request) {
        super(TurnKey.of(request));
        this.request = request;
    }

    /** The request, or null once the turn has ended. */
    @Nullable
    AgentRequest request() {
        return request;
    }

    /** The wish to end the turn early, or null if there is none or the turn has ended. */
    @Nullable
    AgentRequest cancel() {
        return cancel;
    }

    /** Remembers that the turn is to end early; false if that was known or the turn has ended. */
    boolean setCancel(AgentRequest newCancel) {
        if (isComplete() || cancel != null) {
            return false;
        }
        cancel = newCancel;
        return true;
    }

    /** True the first time it is asked since the turn got on: a gap is to be repaired once, not once a chunk. */
    boolean reportGap() {
        boolean first = repairedChunkCount != chunkCount();
        repairedChunkCount = chunkCount();
        return first;
    }

    /** The turn has ended: nothing is to be offered again. */
    void release() {
        request = null;
        cancel = null;
    }
}
