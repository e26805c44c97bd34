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
    /** Prompt tokens of those that the engine had not, but the session's turn before: left to Decode's tiers. */
    public static final String LEFT_TOKENS = "prefill_tokens_left_to_decode_total";

    private final Counter prefixQueries;
    private final Counter prefixHits;
    private final Counter computedTokens;
    private final Counter passed;
    private final Counter leftTokens;

    PrefillMetrics(MetricGroup operatorGroup, IntSupplier waiting) {
        MetricGroup group = MetricGroups.of(operatorGroup);
        group.gauge(WAITING, (Gauge<Integer>) waiting::getAsInt);
        prefixQueries = group.counter(PREFIX_QUERIES);
        prefixHits = group.counter(PREFIX_HITS);
        computedTokens = group.counter(COMPUTED_TOKENS);
        passed = group.counter(PASSED);
        leftTokens = group.counter(LEFT_TOKENS);
    }

    void passed(int promptTokens, int cachedTokens, int newLeftTokens) {
        passed.inc();
        leftTokens.inc(newLeftTokens);
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
