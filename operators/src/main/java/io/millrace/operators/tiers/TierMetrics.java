package io.millrace.operators.tiers;

import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.host.HostTier;
import io.millrace.operators.MetricGroups;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.jspecify.annotations.Nullable;

/** The tiers' metrics. Blocks are KV blocks; bytes are those of their values. */
public final class TierMetrics {
    /** Blocks copied from the device to HOST. */
    public static final String DEMOTED_TO_HOST = "blocks_demoted_to_host_total";
    /** Blocks written to STATE. */
    public static final String DEMOTED_TO_STATE = "blocks_demoted_to_state_total";
    /** Bytes written to STATE. */
    public static final String DEMOTED_TO_STATE_BYTES = "bytes_demoted_to_state_total";
    /** Blocks loaded from HOST to the device. */
    public static final String PROMOTED_FROM_HOST = "blocks_promoted_from_host_total";
    /** Bytes loaded from HOST to the device. */
    public static final String PROMOTED_FROM_HOST_BYTES = "bytes_promoted_from_host_total";
    /** Blocks loaded from STATE to the device. */
    public static final String PROMOTED_FROM_STATE = "blocks_promoted_from_state_total";
    /** Bytes loaded from STATE to the device. */
    public static final String PROMOTED_FROM_STATE_BYTES = "bytes_promoted_from_state_total";
    /** Blocks brought from STATE to HOST ahead of their sessions' next turns. */
    public static final String BROUGHT_AHEAD = "blocks_brought_ahead_total";
    /** Blocks that a tier held and that were computed again, because that was thought to be faster. */
    public static final String RECOMPUTED = "blocks_recomputed_total";
    /** Blocks whose values in STATE were missing or damaged. */
    public static final String DAMAGED = "blocks_damaged_total";
    /** Blocks that were not saved because of a limit. */
    public static final String SKIPPED = "blocks_save_skipped_total";
    /** Blocks that the device had given to others before they were saved. */
    public static final String GONE = "blocks_save_gone_total";
    /** Blocks that were not written to STATE because several sessions use them. */
    public static final String SHARED = "blocks_save_shared_total";
    /** Blocks dropped because their session's context has become another. */
    public static final String DIVERGED = "blocks_diverged_total";
    /** Blocks that wait to be saved. */
    public static final String SAVE_WAITING = "blocks_save_waiting";
    /** Writes and reads of STATE that failed. */
    public static final String STORE_ERRORS = "state_tier_errors_total";
    /** Times that blocks were loaded. */
    public static final String DECIDED_TO_LOAD = "prefix_loads_total";
    /** Times that blocks that a tier held were computed. */
    public static final String DECIDED_TO_COMPUTE = "prefix_loads_declined_total";
    /** Heads of chains, such as shared prefixes, that were computed so that what follows could be loaded. */
    public static final String HEADS = "prefix_heads_computed_total";
    /** Seconds of a load, from the engine's order to its end. */
    public static final String LOAD_SECONDS = "prefix_load_seconds";
    /** Measured bytes a second from HOST to the device. */
    public static final String HOST_RATE = "host_tier_load_bytes_per_second";
    /** Measured bytes a second from STATE to the device. */
    public static final String STATE_RATE = "state_tier_load_bytes_per_second";
    /** Measured prompt tokens a second of the engine. */
    public static final String PROMPT_RATE = "prompt_tokens_per_second";
    /** Blocks in HOST. */
    public static final String HOST_USED = "host_tier_blocks";
    /** Blocks that HOST has room for. */
    public static final String HOST_CAPACITY = "host_tier_capacity_blocks";
    /** Bytes in STATE. */
    public static final String STATE_BYTES = "state_tier_bytes";
    /** Files in which STATE keeps them. */
    public static final String STATE_FILES = "state_tier_files";
    /** Bytes that STATE wrote again to merge files. */
    public static final String STATE_MERGED_BYTES = "state_tier_merged_bytes_total";
    /** Sessions known. */
    public static final String SESSIONS = "num_sessions";
    /** Sessions that lost their blocks in STATE to its limit. */
    public static final String SESSIONS_EVICTED = "sessions_evicted_total";
    /** Sessions that ended by their time to live. */
    public static final String SESSIONS_EXPIRED = "sessions_expired_total";
    /** Unfinished turns that were restored. */
    public static final String RESTORED_TURNS = "turns_restored_total";

    private TierMetrics() {}

    static void register(MetricGroup operatorGroup, TierParts parts, SaveQueue saves) {
        MetricGroup group = MetricGroups.of(operatorGroup);
        TierCounters counters = parts.counters();
        count(group, DEMOTED_TO_HOST, counters.demotedToHostBlocks);
        count(group, DEMOTED_TO_STATE, counters.demotedToStateBlocks);
        count(group, DEMOTED_TO_STATE_BYTES, counters.demotedToStateBytes);
        count(group, PROMOTED_FROM_HOST, counters.promotedFromHostBlocks);
        count(group, PROMOTED_FROM_HOST_BYTES, counters.promotedFromHostBytes);
        count(group, PROMOTED_FROM_STATE, counters.promotedFromStateBlocks);
        count(group, PROMOTED_FROM_STATE_BYTES, counters.promotedFromStateBytes);
        count(group, BROUGHT_AHEAD, counters.prefetchedBlocks);
        count(group, RECOMPUTED, counters.recomputedBlocks);
        count(group, DAMAGED, counters.damagedBlocks);
        count(group, SKIPPED, counters.skippedBlocks);
        count(group, GONE, counters.goneBlocks);
        count(group, SHARED, counters.sharedBlocks);
        count(group, DIVERGED, counters.divergedBlocks);
        count(group, STORE_ERRORS, counters.storeErrors);
        count(group, DECIDED_TO_LOAD, counters.decidedToLoad);
        count(group, DECIDED_TO_COMPUTE, counters.decidedToCompute);
        count(group, HEADS, counters.computedHeads);
        count(group, SESSIONS_EVICTED, counters.evictedSessions);
        count(group, SESSIONS_EXPIRED, counters.expiredSessions);
        count(group, RESTORED_TURNS, counters.restoredTurns);
        group.histogram(LOAD_SECONDS, parts.loader().loadSeconds());
        group.gauge(HOST_RATE, (Gauge<Double>) parts.loader()::hostBytesPerSecond);
        group.gauge(STATE_RATE, (Gauge<Double>) parts.loader()::stateBytesPerSecond);
        group.gauge(PROMPT_RATE, (Gauge<Double>) parts.prefillLoad()::promptTokensPerSecond);
        group.gauge(SAVE_WAITING, (Gauge<Integer>) saves::waitingBlocks);
        group.gauge(STATE_BYTES, (Gauge<Long>) parts.catalog()::storedBytes);
        group.gauge(SESSIONS, (Gauge<Integer>) parts.catalog()::sessionCount);
        registerHost(group, parts.host());
        registerStore(group, parts.store());
    }

    private static void registerHost(MetricGroup group, @Nullable HostTier host) {
        gauge(group, HOST_USED, () -> host == null ? 0L : (long) host.stats().findableBlocks());
        gauge(group, HOST_CAPACITY, () -> host == null ? 0L : (long) host.slotCount());
    }

    private static void registerStore(MetricGroup group, @Nullable BlockStore store) {
        gauge(group, STATE_FILES, () -> store == null ? 0L : store.stats().liveFiles());
        gauge(
                group,
                STATE_MERGED_BYTES,
                () -> store == null ? 0L : store.stats().mergedBytes());
    }

    private static void gauge(MetricGroup group, String name, Supplier<Long> value) {
        group.gauge(name, (Gauge<Long>) value::get);
    }

    private static void count(MetricGroup group, String name, LongAdder adder) {
        group.gauge(name, (Gauge<Long>) adder::sum);
    }
}
