package io.millrace.kv;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/** The one exception of Millrace's own errors; its code says whose they are. */
public final class ServingException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;

    /** The request field at fault, or null. */
    private final @Nullable String param;

    public ServingException(ErrorCode code, String message) {
        this(code, message, null, null);
    }

    public ServingException(ErrorCode code, String message, @Nullable Throwable cause) {
        this(code, message, null, cause);
    }

    public ServingException(ErrorCode code, String message, @Nullable String param, @Nullable Throwable cause) {
        super(message, cause);
        this.code = requireNonNull(code, "code");
        this.param = param;
    }

    /** Returns the error's code. */
    public ErrorCode code() {
        return code;
    }

    /** Returns the request field at fault, or null where there is none. */
    public @Nullable String param() {
        return param;
    }
}
