package io.millrace.connector.kafka.port;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.port.OrderedTurnStream;
import io.millrace.connector.port.TurnKey;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ResendRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One turn at a {@link KafkaPort}, with the request that it may have to send again. The port's lock guards it. */
final class KafkaTurn extends OrderedTurnStream {
    /** Silence is answered ever more rarely, up to this many doublings. */
    private static final int DOUBLINGS_MAX = 5;

    /** Null once it is accepted and there is no room to hold it, or the turn has ended. */
    private @Nullable AgentRequest request;

    private List<Integer> partitions = List.of();
    private long pendingBytes;
    private long heldBytes;
    private boolean accepted;
    private boolean begunHere;
    private boolean lookedFor;
    private boolean askedByName;
    private volatile long lastNewsNanos;
    private volatile int repairs;

    KafkaTurn(AgentRequest request, long nowNanos) {
        super(TurnKey.of(request));
        this.lastNewsNanos = nowNanos;
        take(request);
    }

    /**
     * Whether this is the request that the turn has now: another one may have taken its place, or the turn has ended.
     */
    boolean has(AgentRequest sent) {
        return request == sent;
    }

    /** Whether the turn was only asked for by its name here, and now the request itself came. */
    boolean isCompletedBy(AgentRequest newRequest) {
        return !begunHere && !newRequest.hasResend();
    }

    /** Takes the request that the turn is to have from now on. */
    void take(AgentRequest newRequest) {
        request = requireNonNull(newRequest, "newRequest");
        begunHere = !newRequest.hasResend();
        askedByName = newRequest.hasResend();
        accepted = false;
        heldBytes = 0;
        pendingBytes = newRequest.getSerializedSize();
    }

    /** Kafka has the request. */
    void accept(long nowNanos) {
        accepted = true;
        lastNewsNanos = nowNanos;
    }

    /** Bytes of the request that waits for Kafka's acknowledgement; 0 if none does. */
    long pendingBytes() {
        return pendingBytes;
    }

    /** Bytes of the request that is held to be sent again; 0 if none is. */
    long heldBytes() {
        return heldBytes;
    }

    /** The request waits no longer; it is held on, or not. */
    void settle(boolean hold) {
        heldBytes = hold ? pendingBytes : 0;
        pendingBytes = 0;
        if (!hold) {
            request = null;
        }
    }

    /** The turn has ended: its request is of no use any longer. */
    void release() {
        pendingBytes = 0;
        heldBytes = 0;
        request = null;
    }

    /** The partitions of the token topic in which the turn's chunks may be. */
    List<Integer> partitions() {
        return partitions;
    }

    void setPartitions(List<Integer> newPartitions) {
        partitions = List.copyOf(newPartitions);
    }

    /** True the first time it is asked: the retained records are looked through once a turn. */
    boolean lookFor() {
        boolean first = !lookedFor;
        lookedFor = true;
        return first;
    }

    /**
     * Whether the job's answer that it knows no such turn is one to this port. Another gateway may have asked by name
     * before the request came to the job.
     */
    boolean mayBeUnknown() {
        return askedByName;
    }

    /** The turn got on. Needs no lock. */
    void onNews(long nowNanos) {
        lastNewsNanos = nowNanos;
        repairs = 0;
    }

    long silentNanos(long nowNanos) {
        return nowNanos - lastNewsNanos;
    }

    /** Whether the turn has been silent for so long that it is to be asked for again. */
    boolean isRepairDue(long nowNanos, long repairAfterNanos) {
        return accepted && silentNanos(nowNanos) >= repairAfterNanos << repairs;
    }

    /** What to send so that all chunks come again: the request where it is held, for the job may not have got it. */
    AgentRequest repair() {
        repairs = Math.min(DOUBLINGS_MAX, repairs + 1);
        if (request != null) {
            return request;
        }
        askedByName = true;
        return AgentRequest.newBuilder()
                .setSessionId(sessionId())
                .setRequestId(requestId())
                .setResend(ResendRequest.getDefaultInstance())
                .build();
    }
}
