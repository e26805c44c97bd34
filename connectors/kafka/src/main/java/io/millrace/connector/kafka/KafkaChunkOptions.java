package io.millrace.connector.kafka;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * How the job writes chunks.
 *
 * @param delivery what becomes of chunks when the job fails
 * @param transactionalIdPrefix of the names of transactions, for exactly-once; no other job may have it
 * @param transactionTimeout when the brokers give an open transaction up, for exactly-once; at most what they allow,
 *     and longer than the job may stand still between two checkpoints
 */
public record KafkaChunkOptions(Delivery delivery, String transactionalIdPrefix, Duration transactionTimeout) {
    /** What becomes of chunks when the job fails. */
    public enum Delivery {
        /** Each is written as soon as it is there, and some again after a failure, with the same offset. */
        AT_LEAST_ONCE("at-least-once"),
        /** Each is written once, and can be read when the next checkpoint has completed. */
        EXACTLY_ONCE("exactly-once");

        private final String text;

        Delivery(String text) {
            this.text = text;
        }

        /** As options have it. */
        @Override
        public String toString() {
            return text;
        }
    }

    public KafkaChunkOptions {
        requireNonNull(delivery, "delivery");
        requireNonNull(transactionalIdPrefix, "transactionalIdPrefix");
        requireNonNull(transactionTimeout, "transactionTimeout");
    }
}
