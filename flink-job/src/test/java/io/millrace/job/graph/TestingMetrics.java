package io.millrace.job.graph;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.operators.MetricGroups;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.Metric;
import org.apache.flink.runtime.testutils.InMemoryReporter;

/** The metrics of a running job as a reporter reads them. */
record TestingMetrics(InMemoryReporter reporter) {
    long count(String operator, String name) {
        return ((Counter) metric(operator, name)).getCount();
    }

    Object gauge(String operator, String name) {
        return ((Gauge<?>) metric(operator, name)).getValue();
    }

    Histogram histogram(String operator, String name) {
        return (Histogram) metric(operator, name);
    }

    /** A gauge of a group in the operator's, once for each attempt. */
    List<Object> gauges(String operator, String group, String name) {
        List<Object> values = new ArrayList<>();
        metrics(operator, "." + group, name).forEach(metric -> values.add(((Gauge<?>) metric).getValue()));
        return values;
    }

    private Metric metric(String operator, String name) {
        List<Metric> found = metrics(operator, "", name);
        assertThat(found).as("%s of %s", name, operator).hasSize(1);
        return found.get(0);
    }

    private List<Metric> metrics(String operator, String inner, String name) {
        List<Metric> found = new ArrayList<>();
        reporter.getMetricsByGroup().forEach((group, metrics) -> {
            String scope = String.join(".", group.getScopeComponents());
            if (scope.endsWith("." + operator + ".0." + MetricGroups.GROUP + inner) && metrics.containsKey(name)) {
                found.add(metrics.get(name));
            }
        });
        return found;
    }
}
