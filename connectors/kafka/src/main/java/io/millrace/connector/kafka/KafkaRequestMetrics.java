package io.millrace.connector.kafka;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;

/** What came out of the request topic. */
public final class KafkaRequestMetrics {
    /** Requests that were read. */
    public static final String REQUESTS = "kafka_requests_total";
    /** Records that are no requests, and went to the dead letters. */
    public static final String DEAD_LETTERS = "kafka_dead_letters_total";

    private final Counter requests;
    private final Counter deadLetters;

    KafkaRequestMetrics(MetricGroup operatorGroup) {
        MetricGroup group = operatorGroup.addGroup("millrace");
        requests = group.counter(REQUESTS);
        deadLetters = group.counter(DEAD_LETTERS);
    }

    void read() {
        requests.inc();
    }

    /** Counts one more dead letter; returns how many there were before. */
    long dead() {
        long before = deadLetters.getCount();
        deadLetters.inc();
        return before;
    }
}
