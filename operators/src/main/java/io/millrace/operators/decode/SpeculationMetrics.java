package io.millrace.operators.decode;

import io.millrace.engine.SpeculationStats;
import io.millrace.engine.SpeculationStats.Drafted;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/** Metrics of the engine's drafts, each drafter's in a group of its own, and of what outputs are held to. */
public final class SpeculationMetrics {
    /** Tokens of drafts that were verified. */
    public static final String DRAFT_TOKENS = "spec_decode_num_draft_tokens_total";
    /** Tokens of drafts that were what was sampled. */
    public static final String ACCEPTED_TOKENS = "spec_decode_num_accepted_tokens_total";
    /** Masks of tokens that were computed. */
    public static final String MASKS = "constraint_masks_total";
    /** Seconds that computing masks took. */
    public static final String MASK_SECONDS = "constraint_mask_seconds_total";
    /** Seconds that the slowest mask took. */
    public static final String MASK_SECONDS_MAX = "constraint_mask_seconds_max";
    /** Seconds that 99 of 100 of the latest masks did not take longer than. */
    public static final String MASK_SECONDS_P99 = "constraint_mask_seconds_p99";
    /** Seconds in which steps waited for masks. */
    public static final String MASK_WAIT_SECONDS = "constraint_mask_wait_seconds_total";

    private static final String DRAFTER = "drafter";
    private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

    private SpeculationMetrics() {}

    static void register(MetricGroup group, Supplier<SpeculationStats> stats) {
        drafter(group, "constraint", () -> stats.get().constraint());
        drafter(group, "prompt_lookup", () -> stats.get().lookup());
        drafter(group, "draft_model", () -> stats.get().model());
        group.gauge(MASKS, (Gauge<Long>) () -> stats.get().masks());
        seconds(group, MASK_SECONDS, stats, SpeculationStats::maskNanos);
        seconds(group, MASK_SECONDS_MAX, stats, SpeculationStats::maskNanosMax);
        seconds(group, MASK_SECONDS_P99, stats, SpeculationStats::maskNanosP99);
        seconds(group, MASK_WAIT_SECONDS, stats, SpeculationStats::maskWaitNanos);
    }

    private static void drafter(MetricGroup group, String name, Supplier<Drafted> drafted) {
        MetricGroup own = group.addGroup(DRAFTER, name);
        own.gauge(DRAFT_TOKENS, (Gauge<Long>) () -> drafted.get().draftedTokens());
        own.gauge(ACCEPTED_TOKENS, (Gauge<Long>) () -> drafted.get().acceptedTokens());
    }

    private static void seconds(
            MetricGroup group, String name, Supplier<SpeculationStats> stats, Function<SpeculationStats, Long> nanos) {
        group.gauge(name, (Gauge<Double>) () -> nanos.apply(stats.get()) / NANOS_PER_SECOND);
    }
}
