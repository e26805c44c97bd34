package io.millrace.gateway;

/** Ends a request with a failure that HTTP has a status for and the job's errors have no code for. */
final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Failure failure;

    Refusal(Failure failure) {
        super(failure.message());
        this.failure = failure;
    }

    Failure failure() {
        return failure;
    }
}
