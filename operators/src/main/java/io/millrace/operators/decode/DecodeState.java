package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.flink.ProtoTypeInfo;
import io.millrace.operators.SessionTtl;
import io.millrace.proto.Turn;
import io.millrace.proto.TurnProgress;
import java.time.Duration;
import org.apache.flink.api.common.state.KeyedStateStore;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.jspecify.annotations.Nullable;

/**
 * What Decode keeps, by placement. Names are for ever: savepoints know state by them.
 *
 * <p>A turn is written once, when it begins; how far it has come is written at checkpoints only. All values are
 * immutable messages, for the heap backend keeps references to them and writes them later.
 */
public final class DecodeState {
    /** Unfinished turns, by request id. */
    public static final MapStateDescriptor<String, Turn> TURNS =
            new MapStateDescriptor<>("turns", Types.STRING, ProtoTypeInfo.ofMessage(Turn.class));

    /** How far unfinished turns had come at the last checkpoint, by request id. */
    public static final MapStateDescriptor<String, TurnProgress> PROGRESS =
            new MapStateDescriptor<>("progress", Types.STRING, ProtoTypeInfo.ofMessage(TurnProgress.class));

    /** The session's last turn that ended, without its prompt. */
    static final String LAST_ENDED = "last-ended-turn";

    private final MapState<String, Turn> turns;
    private final MapState<String, TurnProgress> progress;
    private final ValueState<TurnProgress> lastEnded;

    DecodeState(KeyedStateStore store, Duration endedTurnTtl) {
        turns = store.getMapState(TURNS);
        progress = store.getMapState(PROGRESS);
        ValueStateDescriptor<TurnProgress> lastEndedDescriptor =
                new ValueStateDescriptor<>(LAST_ENDED, ProtoTypeInfo.ofMessage(TurnProgress.class));
        lastEndedDescriptor.enableTimeToLive(SessionTtl.of(endedTurnTtl));
        lastEnded = store.getState(lastEndedDescriptor);
    }

    /** A turn of the current key began, or what is known of it changed. */
    void put(Turn turn) throws Exception {
        turns.put(turn.getRequestId(), turn);
    }

    /** Unfinished turns of the current key. */
    Iterable<Turn> turns() throws Exception {
        return turns.values();
    }

    void putProgress(String requestId, TurnProgress value) throws Exception {
        progress.put(requestId, value);
    }

    TurnProgress progress(String requestId) throws Exception {
        @Nullable TurnProgress value = progress.get(requestId);
        return value == null ? TurnProgress.getDefaultInstance() : value;
    }

    /** A turn of the current key ended. */
    void end(String requestId) throws Exception {
        turns.remove(requestId);
        progress.remove(requestId);
    }

    /** Forgets the current key's session. */
    void clear() {
        turns.clear();
        progress.clear();
        lastEnded.clear();
    }

    /** Remembers the current key's last turn that ended. */
    void putLastEnded(TurnProgress ended) throws Exception {
        lastEnded.update(requireNonNull(ended, "ended"));
    }

    /** The current key's last turn that ended, if it is the one of this request. */
    @Nullable
    TurnProgress lastEnded(String requestId) throws Exception {
        @Nullable TurnProgress value = lastEnded.value();
        return value != null && value.getTurn().getRequestId().equals(requestId) ? value : null;
    }
}
