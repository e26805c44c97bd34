package io.millrace.operators.handover;

import io.millrace.operators.MetricGroups;
import java.util.concurrent.atomic.LongAdder;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/** Metrics of the hand-over, of both sides. Blocks are KV blocks; bytes are those of their values. */
public final class HandoverMetrics {
    /** Blocks that Prefill sent. */
    public static final String SENT_BLOCKS = "handover_blocks_sent_total";
    /** Bytes that Prefill sent. */
    public static final String SENT_BYTES = "handover_bytes_sent_total";
    /** Blocks that were not sent, because Decode is thought to hold them. */
    public static final String SKIPPED_BLOCKS = "handover_blocks_skipped_total";
    /** Blocks that Prefill's engine had given to others before they were copied. */
    public static final String GONE_BLOCKS = "handover_blocks_gone_total";
    /** Seconds that a block's copy out of the engine took. */
    public static final String COPY_SECONDS = "handover_copy_seconds";
    /** Seconds that a turn waited for its blocks to be sent when its prompt was computed. */
    public static final String EXPOSED_SECONDS = "handover_exposed_seconds";
    /** Seconds in which blocks of turns were on their way to Decode, of each turn its own. */
    public static final String OPEN_SECONDS = "handover_seconds_total";
    /** Seconds of these in which turns waited for their blocks alone. */
    public static final String WAITED_SECONDS = "handover_waited_seconds_total";
    /** Share of the time of sending that passed while prompts were computed. */
    public static final String HIDDEN_RATIO = "handover_hidden_ratio";

    /** Blocks that came to Decode whole. */
    public static final String RECEIVED_BLOCKS = "handover_blocks_received_total";
    /** Bytes that came to Decode. */
    public static final String RECEIVED_BYTES = "handover_bytes_received_total";
    /** Seconds in which parts of blocks came; longer pauses between two of them do not count. */
    public static final String RECEIVE_SECONDS = "handover_receive_seconds_total";
    /** Blocks that were put into HOST. */
    public static final String INSERTED_BLOCKS = "handover_blocks_inserted_total";
    /** Blocks that Decode had already. */
    public static final String KNOWN_BLOCKS = "handover_blocks_known_total";
    /** Blocks that were not what their headers say. */
    public static final String DAMAGED_BLOCKS = "handover_blocks_damaged_total";
    /** Blocks of which parts did not come. */
    public static final String INCOMPLETE_BLOCKS = "handover_blocks_incomplete_total";
    /** Blocks that HOST had no room for. */
    public static final String REFUSED_BLOCKS = "handover_blocks_refused_total";

    private static final double NANOS_PER_SECOND = 1e9;

    private HandoverMetrics() {}

    /** Registers a sender's. */
    public static void registerSender(MetricGroup operatorGroup, HandoverCounters counters) {
        MetricGroup group = MetricGroups.of(operatorGroup);
        count(group, SENT_BLOCKS, counters.sentBlocks);
        count(group, SENT_BYTES, counters.sentBytes);
        count(group, SKIPPED_BLOCKS, counters.skippedBlocks);
        count(group, GONE_BLOCKS, counters.goneBlocks);
        group.histogram(COPY_SECONDS, counters.copySeconds);
        group.histogram(EXPOSED_SECONDS, counters.exposedSeconds);
        seconds(group, OPEN_SECONDS, counters.openNanos);
        seconds(group, WAITED_SECONDS, counters.exposedNanos);
        group.gauge(HIDDEN_RATIO, (Gauge<Double>) counters::hiddenRatio);
    }

    /** Registers a receiver's. */
    public static void registerReceiver(MetricGroup operatorGroup, HandoverCounters counters) {
        MetricGroup group = MetricGroups.of(operatorGroup);
        count(group, RECEIVED_BLOCKS, counters.receivedBlocks);
        count(group, RECEIVED_BYTES, counters.receivedBytes);
        seconds(group, RECEIVE_SECONDS, counters.receiveNanos);
        count(group, INSERTED_BLOCKS, counters.insertedBlocks);
        count(group, KNOWN_BLOCKS, counters.knownBlocks);
        count(group, DAMAGED_BLOCKS, counters.damagedBlocks);
        count(group, INCOMPLETE_BLOCKS, counters.incompleteBlocks);
        count(group, REFUSED_BLOCKS, counters.refusedBlocks);
    }

    private static void seconds(MetricGroup group, String name, LongAdder nanos) {
        group.gauge(name, (Gauge<Double>) () -> nanos.sum() / NANOS_PER_SECOND);
    }

    private static void count(MetricGroup group, String name, LongAdder adder) {
        group.gauge(name, (Gauge<Long>) adder::sum);
    }
}
