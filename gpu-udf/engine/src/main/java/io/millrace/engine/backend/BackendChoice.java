package io.millrace.engine.backend;

import static java.util.Objects.requireNonNull;

/**
 * The backend that a process uses.
 *
 * @param name its name
 * @param deviceCount devices that it can run on
 * @param reason why it was chosen, for the log
 */
public record BackendChoice(String name, int deviceCount, String reason) {
    public BackendChoice {
        requireNonNull(name, "name");
        requireNonNull(reason, "reason");
    }
}
