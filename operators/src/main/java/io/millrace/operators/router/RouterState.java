package io.millrace.operators.router;

import io.millrace.kv.flink.ProtoTypeInfo;
import io.millrace.operators.SessionTtl;
import io.millrace.proto.SessionLog;
import java.time.Duration;
import org.apache.flink.api.common.state.KeyedStateStore;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.jspecify.annotations.Nullable;

/** What SessionRouter keeps, by session id. Names are for ever: savepoints know state by them. */
public final class RouterState {
    /** The session's log. */
    static final String LOG = "session-log";

    private final ValueState<SessionLog> log;

    RouterState(KeyedStateStore store, Duration sessionTtl) {
        log = store.getState(logDescriptor(sessionTtl));
    }

    /**
     * The state of logs; for SessionRouter, and for those that read savepoints.
     *
     * @param sessionTtl how long a log is kept after it was written
     */
    public static ValueStateDescriptor<SessionLog> logDescriptor(Duration sessionTtl) {
        ValueStateDescriptor<SessionLog> descriptor =
                new ValueStateDescriptor<>(LOG, ProtoTypeInfo.ofMessage(SessionLog.class));
        descriptor.enableTimeToLive(SessionTtl.of(sessionTtl));
        return descriptor;
    }

    /** The current session's log, or null if it is new. */
    @Nullable
    SessionLog log() throws Exception {
        return log.value();
    }

    void putLog(SessionLog value) throws Exception {
        log.update(value);
    }
}
