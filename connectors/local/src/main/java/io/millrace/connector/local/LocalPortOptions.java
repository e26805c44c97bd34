package io.millrace.connector.local;

/**
 * The limits of a {@link LocalPort}.
 *
 * @param openTurnsMax turns that may be open at a time
 * @param queueCapacity requests that may wait for the job to read them
 * @param retainedTurnsMax ended turns whose chunks stay readable
 * @param retainedBytesMax bytes that ended turns may take together, about
 */
public record LocalPortOptions(int openTurnsMax, int queueCapacity, int retainedTurnsMax, long retainedBytesMax) {
    /** 4,096 open turns, of which 1,024 may wait; 1,024 ended turns or 64 MiB stay readable. */
    public static final LocalPortOptions DEFAULT = new LocalPortOptions(4096, 1024, 1024, 64L << 20);

    public LocalPortOptions {
        checkPositive(openTurnsMax, "openTurnsMax");
        checkPositive(queueCapacity, "queueCapacity");
        checkPositive(retainedTurnsMax, "retainedTurnsMax");
        checkPositive(retainedBytesMax, "retainedBytesMax");
    }

    private static void checkPositive(long value, String name) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
    }
}
