package io.millrace.durability;

/**
 * A failure on purpose. An error and no exception, so that it fails the task: what a turn throws as an exception ends
 * that turn alone.
 */
public final class InjectedFailure extends Error {
    private static final long serialVersionUID = 1L;

    InjectedFailure(String message) {
        super(message, null, false, true);
    }
}
