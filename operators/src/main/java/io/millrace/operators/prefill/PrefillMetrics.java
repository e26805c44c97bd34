package io.millrace.operators.prefill;

import io.millrace.operators.MetricGroups;
import java.util.function.IntSupplier;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/** Prefill's metrics. */
public final class PrefillMetrics {
    /** Turns that wait for the blocks of their prompts. */
    public static final String WAITING = "num_requests_waiting";
    /** Prompt tokens that were looked for in the prefix cache. */
    public static final String PREFIX_QUERIES = "prefix_cache_queries_total";
    /** Prompt tokens that were found there. */
    public static final String PREFIX_HITS = "prefix_cache_hits_total";
    /** Prompt tokens that were computed for Prefill. */
    public static final String COMPUTED_TOKENS = "prefill_tokens_total";
    /** Turns that passed at once, because little of their prompts was not cached. */
    public static final String PASSED = "prefills_passed_total";

    private final Counter prefixQueries;
    private final Counter prefixHits;
    private final Counter computedTokens;
    private final Counter passed;

    PrefillMetrics(MetricGroup operatorGroup, IntSupplier waiting) {
        MetricGroup group = MetricGroups.of(operatorGroup);
        group.gauge(WAITING, (Gauge<Integer>) waiting::getAsInt);
        prefixQueries = group.counter(PREFIX_QUERIES);
        prefixHits = group.counter(PREFIX_HITS);
        computedTokens = group.counter(COMPUTED_TOKENS);
        passed = group.counter(PASSED);
    }

    void passed(int promptTokens, int cachedTokens) {
        passed.inc();
        looked(promptTokens, cachedTokens);
    }

    void computed(int promptTokens, int cachedTokens, int newTokens) {
        computedTokens.inc(newTokens);
        looked(promptTokens, cachedTokens);
    }

    private void looked(int promptTokens, int cachedTokens) {
        prefixQueries.inc(promptTokens);
        prefixHits.inc(cachedTokens);
    }
}
