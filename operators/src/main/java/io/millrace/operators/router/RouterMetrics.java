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
    /** Requests to end a session. */
    public static final String CLOSED = "sessions_closed_total";
    /** Prompt tokens of admitted turns that the prompt of the session's turn before began with too. */
    public static final String SESSION_PREFIX_TOKENS = "session_prefix_tokens_total";
    /** Seconds that rendering and tokenising a prompt took. */
    public static final String PROMPT_SECONDS = "prompt_preparation_seconds";

    private final Counter admitted;
    private final Counter deduplicated;
    private final Counter refused;
    private final Counter cancelled;
    private final Counter closed;
    private final Counter sessionPrefixTokens;
    private final SecondsHistogram promptSeconds = new SecondsHistogram();

    RouterMetrics(MetricGroup operatorGroup) {
        MetricGroup group = MetricGroups.of(operatorGroup);
        admitted = group.counter(ADMITTED);
        deduplicated = group.counter(DEDUPLICATED);
        refused = group.counter(REFUSED);
        cancelled = group.counter(CANCELLED);
        closed = group.counter(CLOSED);
        sessionPrefixTokens = group.counter(SESSION_PREFIX_TOKENS);
        group.histogram(PROMPT_SECONDS, promptSeconds);
    }

    void admitted(int newSessionPrefixTokens, long promptNanos) {
        admitted.inc();
        sessionPrefixTokens.inc(newSessionPrefixTokens);
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

    void closed() {
        closed.inc();
    }
}
