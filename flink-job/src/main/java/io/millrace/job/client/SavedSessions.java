package io.millrace.job.client;

import static java.util.Objects.requireNonNull;

import io.millrace.job.graph.MillraceJob;
import io.millrace.kv.BlockHash;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.kv.flink.ProtoTypeInfo;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.kv.flink.SessionPlacementTypeInfo;
import io.millrace.operators.decode.DecodeState;
import io.millrace.operators.router.RouterState;
import io.millrace.operators.tiers.TierState;
import io.millrace.proto.BlockRun;
import io.millrace.proto.SessionInfo;
import io.millrace.proto.SessionLog;
import io.millrace.proto.SessionRecord;
import io.millrace.proto.Turn;
import io.millrace.proto.TurnProgress;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupsSavepointStateHandle;
import org.apache.flink.runtime.state.KeyGroupsStateHandle;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.state.api.OperatorIdentifier;
import org.apache.flink.state.api.SavepointReader;
import org.apache.flink.state.api.functions.KeyedStateReaderFunction;
import org.apache.flink.state.api.runtime.SavepointLoader;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;

/** Reads the sessions of a savepoint or a retained checkpoint, without a job, by Flink's State Processor API. */
public final class SavedSessions {
    /** Whoever reads a savepoint wants what is in it, however old it is. */
    private static final Duration FOREVER = Duration.ofDays(36_500);

    private static final MemorySize MANAGED_MEMORY = MemorySize.ofMebiBytes(64);

    private static final Map<String, Collected> COLLECTED = new ConcurrentHashMap<>();
    private static final AtomicInteger READINGS = new AtomicInteger();

    private SavedSessions() {}

    /**
     * Reads sessions; takes a few seconds, and the space of the state on the disk of temporary files.
     *
     * @param savepoint a folder with a file {@code _metadata}, as {@link SavepointPath#find} returns it
     * @param limit sessions at most
     * @throws ServingException {@code INVALID_REQUEST} if it is no savepoint of Millrace or is damaged
     */
    public static SessionListing read(String savepoint, int limit) {
        try {
            StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(flinkOptions());
            environment.setRuntimeMode(RuntimeExecutionMode.BATCH);
            environment.setParallelism(1);
            SavepointReader reader = SavepointReader.read(environment, savepoint, stateBackend(savepoint));
            DataStream<SessionInfo> logs = reader.readKeyedState(
                    OperatorIdentifier.forUid(MillraceJob.ROUTER_UID),
                    new Logs(),
                    Types.STRING,
                    ProtoTypeInfo.ofMessage(SessionInfo.class));
            DataStream<SessionInfo> decoded = reader.readKeyedState(
                    OperatorIdentifier.forUid(MillraceJob.DECODE_UID),
                    new Decoded(),
                    SessionPlacementTypeInfo.INSTANCE,
                    ProtoTypeInfo.ofMessage(SessionInfo.class));
            return collect(environment, logs.union(decoded), limit);
        } catch (ServingException e) {
            throw e;
        } catch (Exception e) {
            Throwable root = e;
            while (root.getCause() != null && root.getCause() != root) {
                root = root.getCause();
            }
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST, savepoint + " cannot be read as a savepoint of Millrace: " + root, e);
        }
    }

    private static Configuration flinkOptions() {
        Configuration options = new Configuration();
        options.set(RestOptions.BIND_PORT, "0");
        // The one for batches warns that it makes no checkpoints.
        options.set(JobManagerOptions.SCHEDULER, JobManagerOptions.SchedulerType.Default);
        options.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MANAGED_MEMORY);
        return options;
    }

    private static SessionListing collect(
            StreamExecutionEnvironment environment, DataStream<SessionInfo> found, int limit) throws Exception {
        String name = "sessions-" + READINGS.incrementAndGet();
        Collected collected = new Collected(limit);
        COLLECTED.put(name, collected);
        try {
            found.sinkTo(new CollectingSink(name));
            environment.execute("the sessions of a savepoint");
            return collected.listing();
        } finally {
            COLLECTED.remove(name);
        }
    }

    /** What both operators know of a session is one line of it. */
    private static final class Collected {
        private final Map<String, SessionInfo> sessions = new LinkedHashMap<>();
        private final int limit;
        private boolean more;

        Collected(int limit) {
            this.limit = limit;
        }

        synchronized void add(SessionInfo info) {
            if (sessions.containsKey(info.getSessionId()) || sessions.size() < limit) {
                sessions.merge(info.getSessionId(), info, SavedSessions::joined);
            } else {
                more = true;
            }
        }

        synchronized SessionListing listing() {
            return new SessionListing(List.copyOf(sessions.values()), more);
        }
    }

    /** Brings sessions from the job in this process to the one who asked; found by a name, for a sink is serialised. */
    private record CollectingSink(String name) implements Sink<SessionInfo> {
        @Override
        public SinkWriter<SessionInfo> createWriter(WriterInitContext context) {
            Collected collected = requireNonNull(COLLECTED.get(name), name);
            return new SinkWriter<>() {
                @Override
                public void write(SessionInfo info, Context writerContext) {
                    collected.add(info);
                }

                @Override
                public void flush(boolean endOfInput) {}

                @Override
                public void close() {}
            };
        }
    }

    private static SessionInfo joined(SessionInfo first, SessionInfo second) {
        return SessionInfo.newBuilder()
                .setSessionId(first.getSessionId())
                .setRunningTurns(Math.max(first.getRunningTurns(), second.getRunningTurns()))
                // The log ends with the last prompt; Decode's count has the output too.
                .setTokens(Math.max(first.getTokens(), second.getTokens()))
                .setStoredBlocks(Math.max(first.getStoredBlocks(), second.getStoredBlocks()))
                .setStoredBytes(Math.max(first.getStoredBytes(), second.getStoredBytes()))
                .setCreatedMs(Math.max(first.getCreatedMs(), second.getCreatedMs()))
                .setLastActiveMs(Math.max(first.getLastActiveMs(), second.getLastActiveMs()))
                .build();
    }

    /** The backend that reads every state of a savepoint: RocksDB, but for what the heap's backend alone can read. */
    private static StateBackend stateBackend(String savepoint) throws IOException {
        for (OperatorState operator :
                SavepointLoader.loadSavepointMetadata(savepoint).getOperatorStates()) {
            for (OperatorSubtaskState subtask : operator.getStates()) {
                for (KeyedStateHandle handle : subtask.getManagedKeyedState()) {
                    if (handle instanceof KeyGroupsStateHandle && !(handle instanceof KeyGroupsSavepointStateHandle)) {
                        return new HashMapStateBackend();
                    }
                }
            }
        }
        return new EmbeddedRocksDBStateBackend();
    }

    /** What SessionRouter knows. */
    private static final class Logs extends KeyedStateReaderFunction<String, SessionInfo> {
        private static final long serialVersionUID = 1L;

        private transient ValueState<SessionLog> log;

        @Override
        public void open(OpenContext context) {
            log = getRuntimeContext().getState(RouterState.logDescriptor(FOREVER));
        }

        @Override
        public void readKey(String sessionId, Context context, Collector<SessionInfo> out) throws Exception {
            SessionLog value = log.value();
            if (value != null && !value.getSessionId().isEmpty()) {
                out.collect(SessionInfo.newBuilder()
                        .setSessionId(sessionId)
                        .setTokens(value.getPromptTokenIdsCount())
                        .setLastActiveMs(value.getLastActiveMs())
                        .build());
            }
        }
    }

    /** What Decode knows. */
    private static final class Decoded extends KeyedStateReaderFunction<SessionPlacement, SessionInfo> {
        private static final long serialVersionUID = 1L;

        private transient MapState<String, Turn> turns;
        private transient MapState<String, TurnProgress> progress;
        private transient ValueState<SessionRecord> sessionRecord;
        private transient MapState<Long, BlockRun> runs;

        @Override
        public void open(OpenContext context) {
            turns = getRuntimeContext().getMapState(DecodeState.TURNS);
            progress = getRuntimeContext().getMapState(DecodeState.PROGRESS);
            sessionRecord = getRuntimeContext().getState(TierState.SESSION_RECORD);
            runs = getRuntimeContext().getMapState(TierState.BLOCK_RUNS);
        }

        @Override
        public void readKey(SessionPlacement placement, Context context, Collector<SessionInfo> out) throws Exception {
            SessionInfo.Builder info = SessionInfo.newBuilder().setSessionId(placement.sessionId());
            SessionRecord known = sessionRecord.value();
            if (known != null) {
                info.setTokens(known.getTokenCount())
                        .setCreatedMs(known.getCreatedMs())
                        .setLastActiveMs(known.getLastActiveMs());
            }
            for (BlockRun run : runs.values()) {
                if (!run.getShared()) {
                    info.setStoredBlocks(
                                    info.getStoredBlocks() + run.getHashes().size() / BlockHash.BYTES)
                            .setStoredBytes(info.getStoredBytes() + run.getValueBytes());
                }
            }
            int running = 0;
            for (Turn turn : turns.values()) {
                running++;
                TurnProgress made = progress.get(turn.getRequestId());
                int generated = made == null ? 0 : made.getGeneratedTokenIdsCount();
                info.setTokens(Math.max(info.getTokens(), turn.getPromptTokenIdsCount() + generated))
                        .setLastActiveMs(Math.max(info.getLastActiveMs(), turn.getArrivalMs()));
            }
            out.collect(info.setRunningTurns(running).build());
        }
    }
}
