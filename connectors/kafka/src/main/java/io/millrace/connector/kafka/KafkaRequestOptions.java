package io.millrace.connector.kafka;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * How the job reads requests.
 *
 * @param groupId the consumer group in which the job commits how far it has come
 * @param start where a job begins that has no checkpoint or savepoint to go on from
 * @param discoveryInterval how often the job looks for new partitions
 */
public record KafkaRequestOptions(String groupId, Start start, Duration discoveryInterval) {
    /** Where a job without state begins to read. */
    public enum Start {
        /** Where the group has committed, at the earliest record if it has not. */
        COMMITTED,
        /** At the earliest record. */
        EARLIEST,
        /** Behind the latest record. */
        LATEST
    }

    public KafkaRequestOptions {
        requireNonNull(groupId, "groupId");
        requireNonNull(start, "start");
        requireNonNull(discoveryInterval, "discoveryInterval");
    }
}
