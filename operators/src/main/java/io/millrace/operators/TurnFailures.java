package io.millrace.operators;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.TurnFailed;

/** Puts errors into the words of the messages. */
public final class TurnFailures {
    /** No error text is longer: it may hold what a client sent. */
    private static final int MESSAGE_CHARS_MAX = 2000;

    private TurnFailures() {}

    /** The failure that an exception means for a turn. What is not a {@link ServingException} is a defect of ours. */
    public static TurnFailed of(RuntimeException e) {
        if (e instanceof ServingException serving) {
            String param = serving.param();
            return of(serving.code(), String.valueOf(serving.getMessage())).toBuilder()
                    .setParam(param == null ? "" : param)
                    .build();
        }
        return of(ErrorCode.INTERNAL, "an internal error ended this turn: " + e);
    }

    /** A failure. */
    public static TurnFailed of(ErrorCode code, String message) {
        return TurnFailed.newBuilder()
                .setCode(code.name())
                .setCategory(code.category().name())
                .setMessage(message.length() <= MESSAGE_CHARS_MAX ? message : message.substring(0, MESSAGE_CHARS_MAX))
                .build();
    }
}
