package io.millrace.durability;

import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Metric;
import org.apache.flink.runtime.testutils.InMemoryReporter;

/** The tiers' metrics of all tasks that a cluster has run, read as a reporter reads them. */
final class TierGauges {
    private final InMemoryReporter reporter = InMemoryReporter.createWithRetainedMetrics();

    /** The cluster's options with a reporter. */
    Configuration configuration() {
        return reporter.addToConfiguration(new Configuration());
    }

    /** The sum of a metric over all tasks. */
    long sum(String name) {
        long sum = 0;
        for (Map<String, Metric> group : reporter.getMetricsByGroup().values()) {
            if (group.get(name) instanceof Gauge<?> gauge && gauge.getValue() instanceof Number value) {
                sum += value.longValue();
            }
        }
        return sum;
    }

    /** The sums of some metrics, for people. */
    String describe(String... names) {
        StringBuilder text = new StringBuilder();
        for (String name : names) {
            text.append(text.isEmpty() ? "" : ", ").append(name).append(' ').append(sum(name));
        }
        return text.toString();
    }
}
