package io.millrace.operators.router;

import io.millrace.operators.MetricGroups;
import io.millrace.operators.SecondsHistogram;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;

/** SessionRouter's metrics. */
public final class RouterMetrics {
    /** Turns that were admitted. */
    public static final String ADMITTED = "requests_admitted_total";
    /** Requests that had been seen before. */
    public static final String DEDUPLICATED = "requests_deduplicated_total";
    /** Requests that were refused. */
    public static final String REFUSED = "requests_refused_total";
    /** Requests to end a turn early. */
    public static final String CANCELLED = "requests_cancelled_total";
    /** Seconds that rendering and tokenising a prompt took. */
    public static final String PROMPT_SECONDS = "prompt_preparation_seconds";

    private final Counter admitted;
    private final Counter deduplicated;
    private final Counter refused;
    private final Counter cancelled;
    private final SecondsHistogram promptSeconds = new SecondsHistogram();

    RouterMetrics(MetricGroup operatorGroup) {
        MetricGroup group = MetricGroups.of(operatorGroup);
        admitted = group.counter(ADMITTED);
        deduplicated = group.counter(DEDUPLICATED);
        refused = group.counter(REFUSED);
        cancelled = group.counter(CANCELLED);
        group.histogram(PROMPT_SECONDS, promptSeconds);
    }

    void admitted(long promptNanos) {
        admitted.inc();
        promptSeconds.update(promptNanos);
    }

    void deduplicated() {
        deduplicated.inc();
    }

    void refused() {
        refused.inc();
    }

    void cancelled() {
        cancelled.inc();
    }
}
