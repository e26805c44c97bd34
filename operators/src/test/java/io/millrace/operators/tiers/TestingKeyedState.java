package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.flink.SessionPlacement;
import io.millrace.proto.BlockRun;
import io.millrace.proto.SessionRecord;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.ValueState;
import org.jspecify.annotations.Nullable;

/** The tiers' keyed state in the heap, by the current key of a task's thread. */
final class TestingKeyedState {
    private final TestingTaskThread task;
    private final Map<SessionPlacement, Map<Long, BlockRun>> runs = new HashMap<>();
    private final Map<SessionPlacement, SessionRecord> sessionRecords = new HashMap<>();

    TestingKeyedState(TestingTaskThread task) {
        this.task = task;
    }

    TierState open() {
        return new TierState(new Runs(), new SessionRecords());
    }

    /** The manifests of a session. */
    List<BlockRun> runs(SessionPlacement session) {
        return List.copyOf(
                runs.computeIfAbsent(session, key -> new LinkedHashMap<>()).values());
    }

    @Nullable
    SessionRecord sessionRecord(SessionPlacement session) {
        return sessionRecords.get(session);
    }

    List<SessionPlacement> sessions() {
        return List.copyOf(sessionRecords.keySet());
    }

    private SessionPlacement key() {
        return requireNonNull(task.currentKey(), "no current key");
    }

    private final class SessionRecords implements ValueState<SessionRecord> {
        @Override
        public @Nullable SessionRecord value() {
            return sessionRecords.get(key());
        }

        @Override
        public void update(SessionRecord value) {
            sessionRecords.put(key(), value);
        }

        @Override
        public void clear() {
            sessionRecords.remove(key());
        }
    }

    private final class Runs implements MapState<Long, BlockRun> {
        private Map<Long, BlockRun> map() {
            return runs.computeIfAbsent(key(), key -> new LinkedHashMap<>());
        }

        @Override
        public @Nullable BlockRun get(Long key) {
            return map().get(key);
        }

        @Override
        public void put(Long key, BlockRun value) {
            map().put(key, value);
        }

        @Override
        public void putAll(Map<Long, BlockRun> values) {
            map().putAll(values);
        }

        @Override
        public void remove(Long key) {
            map().remove(key);
        }

        @Override
        public boolean contains(Long key) {
            return map().containsKey(key);
        }

        @Override
        public Iterable<Map.Entry<Long, BlockRun>> entries() {
            return map().entrySet();
        }

        @Override
        public Iterable<Long> keys() {
            return map().keySet();
        }

        @Override
        public Iterable<BlockRun> values() {
            return map().values();
        }

        @Override
        public Iterator<Map.Entry<Long, BlockRun>> iterator() {
            return map().entrySet().iterator();
        }

        @Override
        public boolean isEmpty() {
            return map().isEmpty();
        }

        @Override
        public void clear() {
            map().clear();
        }
    }
}
