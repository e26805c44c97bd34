package io.millrace.operators;

import org.apache.flink.metrics.MetricGroup;

/** Where Millrace's metrics stand among an operator's. */
public final class MetricGroups {
    /** The group that they are in. */
    public static final String GROUP = "millrace";

    private MetricGroups() {}

    /** Millrace's group of an operator. */
    public static MetricGroup of(MetricGroup operatorGroup) {
        return operatorGroup.addGroup(GROUP);
    }
}
