package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.MetricsProbe;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineOptions;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.kv.BlockValue;
import io.millrace.kv.KvBlockLayout;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.operators.tiers.LoadPolicy;
import io.millrace.operators.tiers.TierMetrics;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.CloseRequest;
import io.millrace.proto.SessionsPage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.checkpoint.CompletedCheckpointStats;
import org.apache.flink.runtime.checkpoint.TaskStateStats;

/**
 * The whole job with a model that computes nothing but has blocks as large as a real one's: sessions grow and end here
 * as quickly as their blocks can be written.
 */
final class SyntheticJob implements AutoCloseable {
    private static final int MANAGED_MEBIBYTES = 512;
    private static final int MAX_TURN_TOKENS = 1 << 16;
    private static final int MAX_BATCH_TOKENS = 4096;
    private static final int MAX_BATCH_SEQUENCES = 32;
    private static final int QUEUE_CAPACITY = 256;
    private static final int ALPHABET = 26;
    /** What the text side of the model writes around a message of the role "user". */
    private static final int MESSAGE_OVERHEAD_TOKENS = "user:\n".length();

    private final KvBlockLayout layout;
    private final Engine engine;
    private final JobCluster job;
    private final MetricsProbe metrics;
    private final Path databases;
    private final SplittableRandom random;
    private final Map<String, Session> sessions = new LinkedHashMap<>();
    private int sessionNumber;

    /** A session's messages so far, and how many turns it had. */
    private static final class Session {
        private final List<ChatMessage> messages = new ArrayList<>();
        private int turns;
        private int blocks;
    }

    /**
     * Starts a job.
     *
     * @param blockCount of the device: enough that no block is ever lost there, for the device has no memory to spare
     */
    SyntheticJob(WorkFolder work, String name, KvBlockLayout layout, int blockCount, long seed) throws Exception {
        this.layout = requireNonNull(layout, "layout");
        this.random = new SplittableRandom(seed);
        EngineOptions options = EngineOptions.of("synthetic", Set.of(), MAX_TURN_TOKENS)
                .withLimits(MAX_BATCH_TOKENS, MAX_BATCH_SEQUENCES, QUEUE_CAPACITY);
        engine = new Engine(options, new SyntheticInstance(blockCount, layout), () -> {});
        engine.start(run -> {
            Thread thread = new Thread(run, "bench-synthetic-engine");
            thread.setDaemon(true);
            return thread;
        });
        Configuration configuration = JobSettings.embedded(work, name, MANAGED_MEBIBYTES);
        configuration.set(MillraceOptions.MODEL_NAME, "synthetic");
        configuration.set(MillraceOptions.TIERS_LOAD, LoadPolicy.ALWAYS);
        metrics = MetricsProbe.install(configuration, name);
        databases = JobSettings.databases(work.folder(name));
        try {
            job = JobCluster.start(configuration, new TestingServedModel(name, engine, MAX_TURN_TOKENS));
        } catch (Exception e) {
            engine.close();
            throw e;
        }
    }

    /** Begins sessions of so many blocks each, one after the other, and has them written. */
    void open(int count, int blocks) throws Exception {
        for (int opened = 0; opened < count; opened++) {
            String name = "session-" + sessionNumber++;
            sessions.put(name, new Session());
            try (ObservedTurn turn = grow(name, blocks)) {
                turn.await();
            }
            SavedBlocks.save(job);
        }
    }

    /** Gives some sessions, chosen by chance, so many blocks more each, at a time. */
    void growSome(int count, int blocks) throws Exception {
        List<String> names = new ArrayList<>(sessions.keySet());
        List<ObservedTurn> turns = new ArrayList<>();
        for (int grown = 0; grown < count; grown++) {
            turns.add(grow(names.remove(random.nextInt(names.size())), blocks));
        }
        for (ObservedTurn turn : turns) {
            turn.await().close();
        }
        SavedBlocks.save(job);
    }

    /** Closes a session chosen by chance. */
    void closeOne() throws Exception {
        List<String> names = new ArrayList<>(sessions.keySet());
        String name = names.get(random.nextInt(names.size()));
        sessions.remove(name);
        AgentRequest close = AgentRequest.newBuilder()
                .setSessionId(name)
                .setRequestId("close")
                .setArrivalMs(System.currentTimeMillis())
                .setClose(CloseRequest.newBuilder().setReason("measured"))
                .build();
        try (ObservedTurn turn = ObservedTurn.send(job.port(), close)) {
            turn.await();
        }
    }

    private ObservedTurn grow(String name, int blocks) {
        Session session = requireNonNull(sessions.get(name), name);
        session.messages.add(Requests.message("user", text(blocks * layout.blockSizeTokens())));
        session.blocks += blocks;
        session.turns++;
        // One token: it is not in the cache when the turn ends, so the prompt's blocks are all that is new.
        return ObservedTurn.send(
                job.port(), Requests.turn(name, Integer.toString(session.turns), "", session.messages, 1));
    }

    /** A message's text that takes exactly so many tokens with what is written around it. */
    private String text(int tokens) {
        StringBuilder text = new StringBuilder(tokens);
        for (int token = MESSAGE_OVERHEAD_TOKENS; token < tokens; token++) {
            text.append((char) ('a' + random.nextInt(ALPHABET)));
        }
        return text.toString();
    }

    /** Takes a checkpoint and says what it uploaded; {@code newBytes} is what {@link #writtenBytes} grew by. */
    UploadLedger.Entry checkpoint(long newBytes) throws Exception {
        CompletedCheckpointStats statistics = job.checkpoint();
        long syncMs = 0;
        for (TaskStateStats task : statistics.getAllTaskStateStats()) {
            syncMs = Math.max(
                    syncMs,
                    task.getSummaryStats().getSyncCheckpointDurationStats().getMaximum());
        }
        return new UploadLedger.Entry(
                newBytes, statistics.getCheckpointedSize(), liveBytes(), WorkFolder.bytesBelow(databases), syncMs);
    }

    /** Bytes of values that were written to STATE so far. */
    long writtenBytes() {
        return decode(TierMetrics.DEMOTED_TO_STATE_BYTES);
    }

    /** Bytes that were written again to merge files. */
    long mergedBytes() {
        return decode(TierMetrics.STATE_MERGED_BYTES);
    }

    private long decode(String metric) {
        return (long) metrics.value("Decode", metric);
    }

    /** Files in which STATE keeps the values now. */
    long files() {
        return decode(TierMetrics.STATE_FILES);
    }

    /**
     * Checks that every block of every open session is in STATE, and nothing was lost on the way.
     *
     * @throws IllegalStateException if not, since what was measured is then not what was meant
     */
    void checkAllStored() throws Exception {
        long expected =
                sessions.values().stream().mapToLong(session -> session.blocks).sum();
        SessionsPage page = SavedBlocks.client(job).sessions("", 0).get(1, TimeUnit.MINUTES);
        long stored = page.getSessionsList().stream()
                .mapToLong(session -> session.getStoredBlocks())
                .sum();
        if (stored != expected) {
            throw new IllegalStateException("STATE has " + stored + " blocks of " + page.getSessionsCount()
                    + " sessions, and not " + expected + " of " + sessions.size());
        }
    }

    /** Bytes of the values of all open sessions. */
    long liveBytes() {
        long blocks =
                sessions.values().stream().mapToLong(session -> session.blocks).sum();
        return blocks * (BlockValue.HEADER_BYTES + layout.blockBytes());
    }

    @Override
    public void close() throws IOException {
        try {
            job.close();
        } finally {
            engine.close();
        }
    }
}
