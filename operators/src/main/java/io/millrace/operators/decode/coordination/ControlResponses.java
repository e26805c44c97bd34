package io.millrace.operators.decode.coordination;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ControlError;
import io.millrace.proto.ControlResponse;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.core.memory.DataOutputViewStreamWrapper;
import org.apache.flink.runtime.operators.coordination.CoordinationResponse;
import org.apache.flink.streaming.api.operators.collect.CollectCoordinationResponse;

/**
 * Puts {@link ControlResponse}s into a class of Flink's own and out of it: Flink's RPC reads what a coordinator answers
 * with the class loader of Flink itself, which does not see the classes of a job's jar.
 */
final class ControlResponses {
    private static final String VERSION = "millrace-control-1";

    private ControlResponses() {}

    static CoordinationResponse wrap(ControlResponse response) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            BytePrimitiveArraySerializer.INSTANCE.serialize(
                    response.toByteArray(), new DataOutputViewStreamWrapper(new DataOutputStream(bytes)));
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
        return new CollectCoordinationResponse(VERSION, 0, List.of(bytes.toByteArray()));
    }

    /** @throws ServingException {@code UNAVAILABLE} if the answer is not one of Decode's coordinator */
    static ControlResponse unwrap(CoordinationResponse response) {
        if (!(response instanceof CollectCoordinationResponse collected) || !VERSION.equals(collected.getVersion())) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE, "the job's Decode did not answer as this version's does: " + response);
        }
        try {
            List<byte[]> results = collected.getResults(BytePrimitiveArraySerializer.INSTANCE);
            return ControlResponse.parseFrom(results.get(0));
        } catch (IOException e) {
            throw new ServingException(ErrorCode.UNAVAILABLE, "the answer of the job's Decode cannot be read", e);
        }
    }

    static ControlResponse error(ErrorCode code, String message) {
        return ControlResponse.newBuilder()
                .setError(ControlError.newBuilder().setCode(code.name()).setMessage(message))
                .build();
    }

    /** The answer that an exception means. What is not a {@link ServingException} is a defect of ours. */
    static ControlResponse error(Exception e) {
        return e instanceof ServingException serving
                ? error(serving.code(), String.valueOf(serving.getMessage()))
                : error(ErrorCode.INTERNAL, e.toString());
    }

    static ServingException exception(ControlError error) {
        ErrorCode code;
        try {
            code = ErrorCode.valueOf(error.getCode());
        } catch (IllegalArgumentException e) {
            code = ErrorCode.INTERNAL; // of another version
        }
        return new ServingException(code, error.getMessage());
    }
}
