package io.millrace.operators.decode.coordination;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.InvalidProtocolBufferException;
import io.millrace.proto.ControlRequest;
import org.apache.flink.runtime.operators.coordination.CoordinationRequest;

/** A {@link ControlRequest} on its way from a client to Decode's coordinator. */
public final class DecodeControlRequest implements CoordinationRequest {
    private static final long serialVersionUID = 1L;

    private final byte[] bytes;

    /** Wraps a request. */
    public DecodeControlRequest(ControlRequest request) {
        this.bytes = requireNonNull(request, "request").toByteArray();
    }

    ControlRequest request() throws InvalidProtocolBufferException {
        return ControlRequest.parseFrom(bytes);
    }
}
