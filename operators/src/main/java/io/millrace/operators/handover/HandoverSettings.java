package io.millrace.operators.handover;

import java.io.Serializable;

/**
 * How blocks are handed over.
 *
 * @param enabled whether Prefill and Decode have engines of their own
 * @param copyBytes memory of a Prefill subtask for copies of blocks on their way; at least two blocks, whatever it says
 */
public record HandoverSettings(boolean enabled, long copyBytes) implements Serializable {
    /** One engine for both: nothing is handed over. */
    public static final HandoverSettings OFF = new HandoverSettings(false, 0);

    public HandoverSettings {
        if (copyBytes < 0) {
            throw new IllegalArgumentException("copyBytes must not be negative: " + copyBytes);
        }
    }
}
