package io.millrace.kv;

/**
 * Why a request or an operation failed: one value an HTTP status, a gRPC status and a metric label are derived from.
 */
public enum ErrorCode {
    /** The request is malformed or a parameter is out of its range. */
    INVALID_REQUEST(Category.USER),
    /** The prompt, with the tokens asked for, is longer than the model's context. */
    CONTEXT_LENGTH_EXCEEDED(Category.USER),
    /** The request names a model that is not served. */
    MODEL_NOT_FOUND(Category.USER),
    /** The chat template refused the messages. */
    TEMPLATE_REFUSED(Category.USER),
    /** The same idempotency key was used for another body. */
    IDEMPOTENCY_CONFLICT(Category.USER),
    /** No turn of this name is known. */
    TURN_NOT_FOUND(Category.USER),
    /** The turn has ended, and its output is no longer kept. */
    OUTPUT_NOT_HELD(Category.USER),
    /** A queue is at its limit; the request may be sent again later. */
    QUEUE_FULL(Category.CAPACITY),
    /** The request can never fit the device's block pool. */
    OUT_OF_BLOCKS(Category.CAPACITY),
    /** A model file is damaged, truncated, or of a kind that is not supported. */
    MODEL_FILE_INVALID(Category.EXTERNAL),
    /** Something outside the process did not answer as it should. */
    UNAVAILABLE(Category.EXTERNAL),
    /** A defect of Millrace. */
    INTERNAL(Category.INTERNAL);

    /** Who can do something about it. */
    public enum Category {
        /** The client: HTTP 400, 404 or 422. */
        USER,
        /** Time, or more machines: HTTP 429. */
        CAPACITY,
        /** Another system or file: HTTP 502. */
        EXTERNAL,
        /** Us: HTTP 500. */
        INTERNAL
    }

    private final Category category;

    ErrorCode(Category category) {
        this.category = category;
    }

    /** Returns who can do something about it. */
    public Category category() {
        return category;
    }
}
