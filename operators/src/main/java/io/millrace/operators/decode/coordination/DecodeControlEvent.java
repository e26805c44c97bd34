package io.millrace.operators.decode.coordination;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.InvalidProtocolBufferException;
import io.millrace.proto.ControlCall;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;

/** A {@link ControlCall} between Decode's coordinator and a subtask, in either direction. */
public final class DecodeControlEvent implements OperatorEvent {
    private static final long serialVersionUID = 1L;

    private final byte[] bytes;

    /** Wraps a call. */
    public DecodeControlEvent(ControlCall call) {
        this.bytes = requireNonNull(call, "call").toByteArray();
    }

    ControlCall call() throws InvalidProtocolBufferException {
        return ControlCall.parseFrom(bytes);
    }

    /** One that is lost ends a client's request by its timeout; it is no reason to restart the task. */
    @Override
    public boolean isLossTolerant() {
        return true;
    }
}
