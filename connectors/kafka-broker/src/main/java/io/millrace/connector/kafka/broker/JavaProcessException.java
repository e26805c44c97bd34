package io.millrace.connector.kafka.broker;

/** A process did not do what was waited for; the message has the end of its log. */
public final class JavaProcessException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public JavaProcessException(String message) {
        super(message);
    }
}
