package io.millrace.engine.backend;

/**
 * Thrown by {@link ModelInstance#execute} when the instance can never run a batch again: the device is gone, or a
 * kernel went wrong and took all that is on the device with it. The engine ends with it, and not the process: its
 * turns go back to whoever submitted them. Any other exception fails the sequences of its batch alone.
 */
public final class DeviceLostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** A device that is lost, for this reason. */
    public DeviceLostException(String message, Throwable cause) {
        super(message, cause);
    }

    /** A device that is lost, for this reason. */
    public DeviceLostException(String message) {
        super(message);
    }
}
