package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.linecorp.armeria.common.HttpStatus;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.TurnFailed;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a client is told when it does not get what it asked for.
 *
 * @param status the HTTP status, where headers have not been sent yet
 * @param type the class of the error, by the names that OpenAI's clients know
 * @param code the error itself
 * @param message for people
 * @param param the request field at fault
 * @param retryable whether the same request may succeed later
 */
record Failure(
        HttpStatus status,
        String type,
        String code,
        String message,
        @Nullable String param,
        boolean retryable) {
    private static final String INVALID = "invalid_request_error";
    private static final String OVERLOADED = "overloaded_error";
    private static final String SERVER = "server_error";

    Failure {
        requireNonNull(status, "status");
        requireNonNull(type, "type");
        requireNonNull(code, "code");
        requireNonNull(message, "message");
    }

    static Failure of(ServingException e) {
        return of(e.code(), String.valueOf(e.getMessage()), e.param());
    }

    static Failure of(ErrorCode code, String message, @Nullable String param) {
        String name = code.name().toLowerCase(Locale.ROOT);
        return switch (code) {
            case INVALID_REQUEST, CONTEXT_LENGTH_EXCEEDED, TEMPLATE_REFUSED ->
                new Failure(HttpStatus.BAD_REQUEST, INVALID, name, message, param, false);
            case MODEL_NOT_FOUND, TURN_NOT_FOUND ->
                new Failure(HttpStatus.NOT_FOUND, INVALID, name, message, param, false);
            case OUTPUT_NOT_HELD -> new Failure(HttpStatus.GONE, INVALID, name, message, param, false);
            case IDEMPOTENCY_CONFLICT ->
                new Failure(HttpStatus.UNPROCESSABLE_ENTITY, INVALID, name, message, param, false);
            case QUEUE_FULL -> new Failure(HttpStatus.TOO_MANY_REQUESTS, OVERLOADED, name, message, param, true);
            case OUT_OF_BLOCKS -> new Failure(HttpStatus.TOO_MANY_REQUESTS, OVERLOADED, name, message, param, false);
            case UNAVAILABLE -> new Failure(HttpStatus.SERVICE_UNAVAILABLE, SERVER, name, message, param, true);
            case MODEL_FILE_INVALID -> new Failure(HttpStatus.BAD_GATEWAY, SERVER, name, message, param, false);
            case INTERNAL -> new Failure(HttpStatus.INTERNAL_SERVER_ERROR, SERVER, name, message, param, false);
        };
    }

    /** The failure of a turn. A job may be newer than its gateway: of a code that is not known, the category counts. */
    static Failure of(TurnFailed failed) {
        String param = failed.getParam().isEmpty() ? null : failed.getParam();
        for (ErrorCode code : ErrorCode.values()) {
            if (code.name().equals(failed.getCode())) {
                return of(code, failed.getMessage(), param);
            }
        }
        ErrorCode nearest = switch (failed.getCategory()) {
            case "USER" -> ErrorCode.INVALID_REQUEST;
            case "CAPACITY" -> ErrorCode.QUEUE_FULL;
            case "EXTERNAL" -> ErrorCode.UNAVAILABLE;
            default -> ErrorCode.INTERNAL;
        };
        return of(nearest, failed.getMessage(), param);
    }

    /** A request that HTTP itself has a status for. */
    static Failure http(HttpStatus status, String message) {
        String code = status.reasonPhrase().toLowerCase(Locale.ROOT).replaceAll("[^a-z]+", "_");
        boolean retryable =
                status.equals(HttpStatus.SERVICE_UNAVAILABLE) || status.equals(HttpStatus.TOO_MANY_REQUESTS);
        return new Failure(status, status.isServerError() ? SERVER : INVALID, code, message, null, retryable);
    }

    static Failure unknownTurn(String turnId) {
        return new Failure(
                HttpStatus.NOT_FOUND, INVALID, "turn_not_found", "no turn '" + turnId + "' is known here", null, false);
    }

    static Failure timedOut() {
        return new Failure(
                HttpStatus.GATEWAY_TIMEOUT,
                SERVER,
                "timeout",
                "the turn took longer than the gateway waits",
                null,
                true);
    }

    static Failure closeTimedOut() {
        return new Failure(
                HttpStatus.GATEWAY_TIMEOUT,
                SERVER,
                "timeout",
                "the session is being deleted, but that takes longer than the gateway waits",
                null,
                true);
    }

    static Failure unauthorized() {
        return new Failure(
                HttpStatus.UNAUTHORIZED,
                INVALID,
                "unauthorized",
                "a valid token is needed in the header authorization: Bearer <token>",
                "authorization",
                false);
    }

    static Failure stopping() {
        return new Failure(
                HttpStatus.SERVICE_UNAVAILABLE, SERVER, "unavailable", "the gateway is stopping", null, true);
    }
}
