package io.millrace.engine.backend;

import static java.util.Objects.requireNonNull;

/**
 * Whether a backend can run models in this process.
 *
 * @param deviceCount devices that it can run on; 0 if it cannot
 * @param detail the devices, or what is missing, as a message says it: {@code no library libcuda.so.1}
 */
public record BackendAvailability(int deviceCount, String detail) {
    public BackendAvailability {
        requireNonNull(detail, "detail");
        if (deviceCount < 0) {
            throw new IllegalArgumentException("deviceCount must not be negative: " + deviceCount);
        }
    }

    /** So many devices. */
    public static BackendAvailability devices(int count, String detail) {
        return new BackendAvailability(count, detail);
    }

    /** None, for this reason. */
    public static BackendAvailability missing(String detail) {
        return new BackendAvailability(0, detail);
    }

    /** Whether there is a device. */
    public boolean isAvailable() {
        return deviceCount > 0;
    }
}
