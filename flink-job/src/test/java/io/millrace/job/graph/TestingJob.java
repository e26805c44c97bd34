package io.millrace.job.graph;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.local.LocalPort;
import io.millrace.connector.local.LocalSink;
import io.millrace.connector.local.LocalSource;
import io.millrace.connector.port.TurnStream;
import io.millrace.operators.ServedModel;
import io.millrace.operators.decode.coordination.DecodeControlClient;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.CloseRequest;
import io.millrace.proto.SamplingParams;
import io.millrace.proto.TokenChunk;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.SerializedValue;
import org.jspecify.annotations.Nullable;

/** A job on a cluster of its own in this process, with a port to it. */
final class TestingJob implements AutoCloseable {
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final long TIMEOUT_MS = 60_000;

    private final String name = "testing-job-" + COUNT.incrementAndGet();
    private final LocalPort port;
    private final MiniCluster cluster;
    private final JobID jobId;

    TestingJob(ServedModel model, Configuration options) throws Exception {
        this(model, options, null);
    }

    /** Starts a job, from a savepoint if one is given, and waits until it runs. */
    TestingJob(ServedModel model, Configuration options, @Nullable String savepoint) throws Exception {
        Configuration configuration = defaults();
        configuration.addAll(options);
        port = LocalPort.open(name, MillraceJob.portOptions(configuration));
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        MillraceJob.define(
                environment, configuration, model, new LocalSource(name), new TestingSink(name, new LocalSink(name)));
        JobGraph graph = environment.getStreamGraph().getJobGraph();
        if (savepoint != null) {
            graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(savepoint, false));
        }
        jobId = graph.getJobID();
        cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(configuration.get(MillraceOptions.DISAGGREGATION_ENABLED) ? 2 : 1)
                .setNumSlotsPerTaskManager(graph.getMaximumParallelism())
                .build());
        cluster.start();
        cluster.submitJob(graph).get();
        awaitRunning(0);
    }

    /** Short checkpoints and restarts, little memory, any port. */
    private static Configuration defaults() {
        Configuration configuration = new Configuration();
        configuration.set(MillraceOptions.MODEL_NAME, "testing");
        // A token a step: turns of slow models are still under way when something is done to them.
        configuration.set(MillraceOptions.SPECULATION_ENABLED, false);
        configuration.set(RestOptions.BIND_PORT, "0");
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(100));
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, 10);
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(10));
        configuration.set(TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(16));
        configuration.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(16));
        configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(16));
        return configuration;
    }

    LocalPort port() {
        return port;
    }

    /** Fails the job at its sink, after so many more chunks; runs the action just before. */
    void failAfterChunks(int chunks, Runnable action) {
        TestingSink.failAfter(name, chunks, action);
    }

    /** Makes the sink take so long for each chunk. */
    void slowSinkDown(long chunkNanos) {
        TestingSink.slowDown(name, chunkNanos);
    }

    /** Waits until every task runs, each restarted at least so often. */
    void awaitRunning(int restarts) throws Exception {
        await("every task runs after " + restarts + " restarts", () -> {
            try {
                for (AccessExecutionVertex vertex :
                        cluster.getExecutionGraph(jobId).get().getAllExecutionVertices()) {
                    if (vertex.getCurrentExecutionAttempt().getAttemptNumber() < restarts
                            || vertex.getExecutionState() != ExecutionState.RUNNING) {
                        return false;
                    }
                }
                return port.isReady();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    /** Waits for one more checkpoint, all of it after this call; returns where it is. */
    String checkpoint() throws Exception {
        return cluster.triggerCheckpoint(jobId).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    }

    /** Asks the job's Decode. */
    DecodeControlClient control() {
        return new DecodeControlClient(MillraceJob.DECODE_UID, (uid, request) -> {
            try {
                return cluster.deliverCoordinationRequestToCoordinator(jobId, uid, new SerializedValue<>(request));
            } catch (IOException e) {
                return CompletableFuture.failedFuture(e);
            }
        });
    }

    /** Bytes of records in channels that the latest checkpoint holds. */
    long checkpointedChannelBytes() throws Exception {
        return cluster.getExecutionGraph(jobId)
                .get()
                .getCheckpointStatsSnapshot()
                .getHistory()
                .getLatestCompletedCheckpoint()
                .getPersistedData();
    }

    /** Cancels the job and waits until its tasks have ended. */
    void cancel() throws Exception {
        cluster.cancelJob(jobId).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
        assertThat(awaitEnd()).isEqualTo(JobStatus.CANCELED);
    }

    /** Makes a savepoint in a directory while the job runs; returns the savepoint. */
    String savepoint(String directory) throws Exception {
        return cluster.triggerSavepoint(jobId, directory, false, SavepointFormatType.CANONICAL)
                .get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    }

    /** Stops the job with a savepoint in a directory; returns the savepoint. */
    String stopWithSavepoint(String directory) throws Exception {
        return cluster.stopWithSavepoint(jobId, directory, false, SavepointFormatType.CANONICAL)
                .get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    }

    /** Waits until the job has ended; returns how. */
    JobStatus awaitEnd() throws Exception {
        cluster.requestJobResult(jobId).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
        return cluster.getJobStatus(jobId).get();
    }

    @Override
    public void close() throws Exception {
        port.close();
        cluster.close();
    }

    /** A request of one user message. */
    static AgentRequest request(String sessionId, String requestId, String text, int maxTokens) {
        return request(sessionId, requestId, List.of(message("user", text)), maxTokens);
    }

    static AgentRequest request(String sessionId, String requestId, List<ChatMessage> messages, int maxTokens) {
        return AgentRequest.newBuilder()
                .setSessionId(sessionId)
                .setRequestId(requestId)
                .setArrivalMs(System.currentTimeMillis())
                .setChat(ChatRequest.newBuilder()
                        .addAllMessages(messages)
                        .setSampling(SamplingParams.newBuilder().setMaxTokens(maxTokens)))
                .build();
    }

    /** A request to end a session. */
    static AgentRequest close(String sessionId, String requestId) {
        return AgentRequest.newBuilder()
                .setSessionId(sessionId)
                .setRequestId(requestId)
                .setArrivalMs(System.currentTimeMillis())
                .setClose(CloseRequest.newBuilder().setReason("test"))
                .build();
    }

    static ChatMessage message(String role, String content) {
        return ChatMessage.newBuilder().setRole(role).setContent(content).build();
    }

    /** Waits until a turn is complete. */
    static void awaitComplete(TurnStream turn) throws Exception {
        CountDownLatch complete = new CountDownLatch(1);
        try (TurnStream.Subscription subscription = turn.onProgress(() -> {
            if (turn.isComplete()) {
                complete.countDown();
            }
        })) {
            assertThat(complete.await(TIMEOUT_MS, TimeUnit.MILLISECONDS))
                    .as(
                            "turn %s of %s completes; it has %s chunks",
                            turn.requestId(), turn.sessionId(), turn.chunkCount())
                    .isTrue();
        }
    }

    /** Waits until a turn has so many chunks. */
    static void awaitChunks(TurnStream turn, int count) throws Exception {
        CompletableFuture<Void> reached = new CompletableFuture<>();
        try (TurnStream.Subscription subscription = turn.onProgress(() -> {
            if (turn.chunkCount() >= count || turn.isComplete()) {
                reached.complete(null);
            }
        })) {
            reached.get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
        }
    }

    /** The tokens of a turn; checks that its chunks are without gaps and repetitions. */
    static List<Integer> tokens(TurnStream turn) {
        List<Integer> tokens = new ArrayList<>();
        for (TokenChunk chunk : chunks(turn)) {
            assertThat(chunk.getOffset()).isEqualTo(tokens.size());
            tokens.addAll(chunk.getTokenIdsList());
        }
        return tokens;
    }

    /** The text of a turn. */
    static String content(TurnStream turn) {
        StringBuilder content = new StringBuilder();
        for (TokenChunk chunk : chunks(turn)) {
            content.append(chunk.getContent());
        }
        return content.toString();
    }

    /** The last chunk of a turn. */
    static TokenChunk last(TurnStream turn) {
        return chunks(turn).get(turn.chunkCount() - 1);
    }

    static List<TokenChunk> chunks(TurnStream turn) {
        List<TokenChunk> chunks = new ArrayList<>();
        for (int i = 0; i < turn.chunkCount(); i++) {
            chunks.add(turn.chunk(i));
        }
        return chunks;
    }

    /** Waits for something that nobody tells of. */
    static void await(String what, BooleanSupplier condition) throws Exception {
        long deadlineNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MS);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("in time: " + what).isLessThan(deadlineNanos);
            Thread.sleep(5);
        }
    }
}
