package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.flink.ProtoTypeInfo;
import io.millrace.proto.BlockRun;
import io.millrace.proto.SessionRecord;
import org.apache.flink.api.common.state.KeyedStateStore;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.jspecify.annotations.Nullable;

/**
 * What the tiers keep of sessions beside the blocks' values, by placement. Names are for ever: savepoints know state by
 * them. All values are immutable messages. Task thread, with the session's key the current one.
 */
public final class TierState {
    /** What the values of blocks hold: by the key of a run's first block. */
    public static final MapStateDescriptor<Long, BlockRun> BLOCK_RUNS =
            new MapStateDescriptor<>("block-runs", Types.LONG, ProtoTypeInfo.ofMessage(BlockRun.class));

    /** What is known of a session besides. */
    public static final ValueStateDescriptor<SessionRecord> SESSION_RECORD =
            new ValueStateDescriptor<>("session-record", ProtoTypeInfo.ofMessage(SessionRecord.class));

    private final MapState<Long, BlockRun> runs;
    private final ValueState<SessionRecord> sessionRecord;

    /** The states of an operator. */
    public TierState(KeyedStateStore store) {
        this(store.getMapState(BLOCK_RUNS), store.getState(SESSION_RECORD));
    }

    TierState(MapState<Long, BlockRun> runs, ValueState<SessionRecord> sessionRecord) {
        this.runs = requireNonNull(runs, "runs");
        this.sessionRecord = requireNonNull(sessionRecord, "sessionRecord");
    }

    Iterable<BlockRun> runs() throws Exception {
        return runs.values();
    }

    void put(BlockRun run) throws Exception {
        runs.put(run.getFirstKey(), run);
    }

    void remove(BlockRun run) throws Exception {
        runs.remove(run.getFirstKey());
    }

    void clearRuns() throws Exception {
        runs.clear();
    }

    /** Null if the session is not known. */
    @Nullable
    SessionRecord sessionRecord() throws Exception {
        return sessionRecord.value();
    }

    void put(SessionRecord value) throws Exception {
        sessionRecord.update(value);
    }

    void clearRecord() {
        sessionRecord.clear();
    }
}
