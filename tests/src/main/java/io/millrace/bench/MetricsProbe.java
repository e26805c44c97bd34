package io.millrace.bench;

import io.millrace.operators.MetricGroups;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/** Reads the numbers of a job's operators in this process, of their latest attempt. Each has one subtask. */
public final class MetricsProbe implements MetricReporter {
    private static final Map<String, MetricsProbe> PROBES = new ConcurrentHashMap<>();
    private static final String PREFIX = "metrics.reporter.bench.";
    private static final String NAME = "name";

    private final Map<String, Metric> metrics = new ConcurrentHashMap<>();

    private MetricsProbe() {}

    /** Made by {@link java.util.ServiceLoader}. */
    public static final class Factory implements MetricReporterFactory {
        /** For Flink. */
        public Factory() {}

        @Override
        public MetricReporter createMetricReporter(Properties properties) {
            return probe(properties.getProperty(NAME, ""));
        }
    }

    /** Has a job report to the probe of a name. */
    public static MetricsProbe install(Configuration configuration, String name) {
        configuration.setString("metrics.reporters", "bench");
        configuration.setString(PREFIX + "factory.class", Factory.class.getName());
        configuration.setString(PREFIX + NAME, name);
        return probe(name);
    }

    private static MetricsProbe probe(String name) {
        return PROBES.computeIfAbsent(name, any -> new MetricsProbe());
    }

    /** Whether an operator reports a number. */
    public boolean has(String operator, String metric) {
        return metrics.containsKey(operator + "." + metric);
    }

    /** A counter's or a gauge's value now. */
    public double value(String operator, String metric) {
        Metric found = metrics.get(operator + "." + metric);
        if (found instanceof Counter counter) {
            return counter.getCount();
        }
        if (found instanceof Gauge<?> gauge && gauge.getValue() instanceof Number number) {
            return number.doubleValue();
        }
        throw new IllegalStateException(
                operator + " reports no number named " + metric + "; there are " + metrics.keySet());
    }

    @Override
    public void open(MetricConfig config) {
        // Metrics come by themselves.
    }

    @Override
    public void close() {
        // The latest values stay readable.
    }

    @Override
    public void notifyOfAddedMetric(Metric metric, String metricName, MetricGroup group) {
        String[] scope = group.getScopeComponents();
        if (scope.length >= 3 && scope[scope.length - 1].equals(MetricGroups.GROUP)) {
            metrics.put(scope[scope.length - 3] + "." + metricName, metric);
        }
    }

    @Override
    public void notifyOfRemovedMetric(Metric metric, String metricName, MetricGroup group) {
        metrics.values().remove(metric);
    }
}
