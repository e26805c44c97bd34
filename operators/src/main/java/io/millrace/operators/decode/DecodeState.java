package io.millrace.operators.decode;

import com.google.protobuf.Message;
import io.millrace.kv.flink.ProtoTypeInfo;
import io.millrace.operators.SessionTtl;
import io.millrace.proto.EndedTurns;
import io.millrace.proto.Turn;
import io.millrace.proto.TurnProgress;
import java.time.Duration;
import java.util.List;
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

    /** The session's latest turns that ended, without their prompts. */
    private static final String ENDED = "ended-turns";

    /** One turn that ended, as a savepoint of version 0.1 holds it; read, and no longer written. */
    private static final String LAST_ENDED = "last-ended-turn";

    /** Ended turns that are kept of a session: more than can end behind the one that its client has not all of. */
    private static final int ENDED_TURNS_MAX = 4;

    private final MapState<String, Turn> turns;
    private final MapState<String, TurnProgress> progress;
    private final ValueState<EndedTurns> ended;
    private final ValueState<TurnProgress> lastEnded;

    DecodeState(KeyedStateStore store, Duration endedTurnTtl) {
        turns = store.getMapState(TURNS);
        progress = store.getMapState(PROGRESS);
        ended = store.getState(expiring(ENDED, EndedTurns.class, endedTurnTtl));
        lastEnded = store.getState(expiring(LAST_ENDED, TurnProgress.class, endedTurnTtl));
    }

    private static <M extends Message> ValueStateDescriptor<M> expiring(String name, Class<M> type, Duration ttl) {
        ValueStateDescriptor<M> descriptor = new ValueStateDescriptor<>(name, ProtoTypeInfo.ofMessage(type));
        descriptor.enableTimeToLive(SessionTtl.of(ttl));
        return descriptor;
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
        ended.clear();
        lastEnded.clear();
    }

    /** Remembers a turn of the current key that ended, and forgets the one that ended longest ago if there are many. */
    void putEnded(TurnProgress turn) throws Exception {
        List<TurnProgress> before = endedTurns();
        ended.update(EndedTurns.newBuilder()
                .addAllTurns(before.subList(Math.max(0, before.size() + 1 - ENDED_TURNS_MAX), before.size()))
                .addTurns(turn)
                .build());
    }

    /** The turn of the current key that ended with this request, if it is one of the latest. */
    @Nullable
    TurnProgress ended(String requestId) throws Exception {
        for (TurnProgress turn : endedTurns()) {
            if (turn.getTurn().getRequestId().equals(requestId)) {
                return turn;
            }
        }
        return null;
    }

    private List<TurnProgress> endedTurns() throws Exception {
        @Nullable EndedTurns turns = ended.value();
        if (turns != null) {
            return turns.getTurnsList();
        }
        @Nullable TurnProgress last = lastEnded.value();
        return last == null ? List.of() : List.of(last);
    }
}
