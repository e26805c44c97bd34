package io.millrace.connector.kafka.port;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * The limits of a {@link KafkaPort}.
 *
 * @param openTurnsMax turns that may be open here at a time
 * @param requestBytesMax bytes of requests that may wait for Kafka's acknowledgement; as many again are held while
 *     their turns are open, to be sent again if the topic loses them
 * @param retainedTurnsMax ended turns whose chunks stay readable
 * @param retainedBytesMax bytes that ended turns may take together, about
 * @param acceptTimeout how long a request may wait for Kafka's acknowledgement
 * @param repairAfter how long a turn may be silent before it is asked for again; doubled each time
 * @param forgetAfter how long a turn that nobody reads may be silent before it is forgotten here
 * @param scanRecordsMax records of a partition that are looked through for the chunks of a turn that the job no longer
 *     holds
 */
public record KafkaPortOptions(
        int openTurnsMax,
        long requestBytesMax,
        int retainedTurnsMax,
        long retainedBytesMax,
        Duration acceptTimeout,
        Duration repairAfter,
        Duration forgetAfter,
        long scanRecordsMax) {
    /**
     * 4,096 open turns with 64 MiB of requests; 1,024 ended turns or 64 MiB stay readable; 30 s to be accepted; asked
     * for again after 30 s, forgotten after 10 min; 4 Mi records are looked through.
     */
    public static final KafkaPortOptions DEFAULT = new KafkaPortOptions(
            4096,
            64L << 20,
            1024,
            64L << 20,
            Duration.ofSeconds(30),
            Duration.ofSeconds(30),
            Duration.ofMinutes(10),
            4L << 20);

    public KafkaPortOptions {
        checkPositive(openTurnsMax, "openTurnsMax");
        checkPositive(requestBytesMax, "requestBytesMax");
        checkPositive(retainedTurnsMax, "retainedTurnsMax");
        checkPositive(retainedBytesMax, "retainedBytesMax");
        checkPositive(requireNonNull(acceptTimeout, "acceptTimeout").toMillis(), "acceptTimeout");
        checkPositive(requireNonNull(repairAfter, "repairAfter").toMillis(), "repairAfter");
        checkPositive(requireNonNull(forgetAfter, "forgetAfter").toMillis(), "forgetAfter");
        checkPositive(scanRecordsMax, "scanRecordsMax");
    }

    /** The same with another bound of open turns. */
    public KafkaPortOptions withOpenTurnsMax(int turns) {
        return new KafkaPortOptions(
                turns,
                requestBytesMax,
                retainedTurnsMax,
                retainedBytesMax,
                acceptTimeout,
                repairAfter,
                forgetAfter,
                scanRecordsMax);
    }

    /** The same with other times to be accepted and to be asked for again. */
    public KafkaPortOptions withTimes(Duration newAcceptTimeout, Duration newRepairAfter) {
        return new KafkaPortOptions(
                openTurnsMax,
                requestBytesMax,
                retainedTurnsMax,
                retainedBytesMax,
                newAcceptTimeout,
                newRepairAfter,
                forgetAfter,
                scanRecordsMax);
    }

    private static void checkPositive(long value, String name) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
    }
}
