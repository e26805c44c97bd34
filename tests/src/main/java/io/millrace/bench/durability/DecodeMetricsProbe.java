package io.millrace.bench.durability;

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

/** Reads the metrics of a job's Decode in this process, of its latest attempt. The job has one subtask of it. */
public final class DecodeMetricsProbe implements MetricReporter {
    private static final Map<String, DecodeMetricsProbe> PROBES = new ConcurrentHashMap<>();
    private static final String PREFIX = "metrics.reporter.bench.";
    private static final String NAME = "name";
    private static final String OPERATOR = "Decode";

    private final Map<String, Metric> metrics = new ConcurrentHashMap<>();

    private DecodeMetricsProbe() {}

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
    static void install(Configuration configuration, String name) {
        configuration.setString("metrics.reporters", "bench");
        configuration.setString(PREFIX + "factory.class", Factory.class.getName());
        configuration.setString(PREFIX + NAME, name);
    }

    /** The probe of a name. */
    static DecodeMetricsProbe probe(String name) {
        return PROBES.computeIfAbsent(name, any -> new DecodeMetricsProbe());
    }

    /** A counter's or a gauge's value now. */
    long value(String metric) {
        Metric found = metrics.get(metric);
        if (found instanceof Counter counter) {
            return counter.getCount();
        }
        if (found instanceof Gauge<?> gauge && gauge.getValue() instanceof Number number) {
            return number.longValue();
        }
        throw new IllegalStateException("Decode reports no number named " + metric + ", but " + metrics.keySet());
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
        String scope = String.join(".", group.getScopeComponents());
        if (scope.contains("." + OPERATOR + ".") && scope.endsWith("." + MetricGroups.GROUP)) {
            metrics.put(metricName, metric);
        }
    }

    @Override
    public void notifyOfRemovedMetric(Metric metric, String metricName, MetricGroup group) {
        metrics.remove(metricName, metric);
    }
}
