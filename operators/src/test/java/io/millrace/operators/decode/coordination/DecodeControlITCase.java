package io.millrace.operators.decode.coordination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import io.millrace.proto.SaveBlocksResult;
import io.millrace.proto.SessionInfo;
import io.millrace.proto.SessionsPage;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.client.program.rest.RestClusterClient;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.runtime.operators.coordination.CoordinationRequest;
import org.apache.flink.runtime.operators.coordination.CoordinationResponse;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.CoordinatedOperatorFactory;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.util.SerializedValue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The way of a request through Flink: REST, JobManager, tasks, and back. */
class DecodeControlITCase {
    private static final int PARALLELISM = 3;
    private static final int SESSIONS = 1500;
    private static final String UID = "controlled";
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final AtomicBoolean FAIL_NEXT_SAVE = new AtomicBoolean();
    private static final AtomicBoolean HANG_NEXT_SAVE = new AtomicBoolean();

    private static MiniCluster cluster;
    private static JobID jobId;
    private static RestClusterClient<String> rest;
    private static DecodeControlClient client;

    @BeforeAll
    static void start() throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(RestOptions.BIND_PORT, "0");
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(50));
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(10));
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, 10);
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        environment
                .fromSequence(0, Long.MAX_VALUE)
                .setParallelism(1)
                .map(DecodeControlITCase::slowly)
                .setParallelism(1)
                .keyBy(value -> value)
                .transform(UID, Types.LONG, new ControlledFactory())
                .setParallelism(PARALLELISM)
                .uid(UID)
                .sinkTo(new DiscardingSink<>())
                .setParallelism(1);
        JobGraph graph = environment.getStreamGraph().getJobGraph();
        jobId = graph.getJobID();
        cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumSlotsPerTaskManager(4)
                .build());
        cluster.start();
        cluster.submitJob(graph).get();
        Configuration forClients = new Configuration();
        forClients.set(RestOptions.ADDRESS, cluster.getRestAddress().get().getHost());
        forClients.set(RestOptions.PORT, cluster.getRestAddress().get().getPort());
        forClients.set(JobManagerOptions.ADDRESS, "localhost");
        rest = new RestClusterClient<>(forClients, "testing");
        client = new DecodeControlClient(UID, (uid, request) -> rest.sendCoordinationRequest(jobId, uid, request));
        awaitServing();
    }

    @AfterAll
    static void stop() throws Exception {
        rest.close();
        cluster.close();
    }

    @Test
    void sessionsOfAllSubtasksArePaged() throws Exception {
        List<SessionInfo> all = new ArrayList<>();
        String token = "";
        int pages = 0;
        do {
            SessionsPage page = client.sessions(token, 0).get(1, TimeUnit.MINUTES);
            all.addAll(page.getSessionsList());
            token = page.getNextPageToken();
            pages++;
        } while (!token.isEmpty());
        // A page never goes on beyond a subtask that has more.
        assertThat(pages).isBetween(PARALLELISM * SESSIONS / DecodeSessions.PAGE_SESSIONS_MAX, 2 * PARALLELISM);
        assertThat(all.stream().map(SessionInfo::getSessionId)).doesNotHaveDuplicates();
        for (int i = 0; i < PARALLELISM; i++) {
            int subtask = i;
            assertThat(all.stream().filter(session -> session.getSubtask() == subtask))
                    .hasSize(SESSIONS);
        }
    }

    @Test
    void savesAreAddedUpThroughTheClusterItselfToo() throws Exception {
        DecodeControlClient direct = new DecodeControlClient(UID, DecodeControlITCase::deliver);
        SaveBlocksResult saved = direct.saveBlocks(TIMEOUT).get(1, TimeUnit.MINUTES);
        assertThat(saved.getSubtasks()).isEqualTo(PARALLELISM);
        assertThat(saved.getBlocks()).isEqualTo(PARALLELISM);
        assertThat(client.saveBlocks(TIMEOUT).get(1, TimeUnit.MINUTES)).isEqualTo(saved);
    }

    @Test
    void taskThatFailsMeanwhileEndsTheRequestAndTheNextOneWorks() throws Exception {
        FAIL_NEXT_SAVE.set(true);
        assertThatFails(client.saveBlocks(TIMEOUT), "restarted");
        awaitServing();
        assertThat(client.saveBlocks(TIMEOUT).get(1, TimeUnit.MINUTES).getSubtasks())
                .isEqualTo(PARALLELISM);
    }

    @Test
    void subtaskThatDoesNotAnswerEndsTheRequestInTime() throws Exception {
        HANG_NEXT_SAVE.set(true);
        assertThatFails(client.saveBlocks(Duration.ofMillis(200)), "no answer of decode within 200 ms");
        // Saves wait for the one that hangs; other requests do not.
        assertThat(client.sessions("", 1).get(1, TimeUnit.MINUTES).getSessionsCount())
                .isEqualTo(1);
        FAIL_NEXT_SAVE.set(true);
        assertThatFails(client.saveBlocks(TIMEOUT), "restarted");
        awaitServing();
    }

    @Test
    void anOperatorThatIsNotThereIsAnError() {
        DecodeControlClient wrong = new DecodeControlClient(
                "no-such-uid", (uid, request) -> rest.sendCoordinationRequest(jobId, uid, request));
        assertThatThrownBy(() -> wrong.sessions("", 1).get(1, TimeUnit.MINUTES)).isInstanceOf(ExecutionException.class);
    }

    private static void assertThatFails(CompletableFuture<?> future, String message) {
        assertThatThrownBy(() -> future.get(1, TimeUnit.MINUTES))
                .hasCauseInstanceOf(ServingException.class)
                .hasMessageContaining(message);
    }

    private static CompletableFuture<CoordinationResponse> deliver(String uid, CoordinationRequest request) {
        try {
            return cluster.deliverCoordinationRequestToCoordinator(jobId, uid, new SerializedValue<>(request));
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Waits until every subtask answers. */
    private static void awaitServing() throws Exception {
        long deadlineNanos = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (true) {
            try {
                client.saveBlocks(TIMEOUT).get(1, TimeUnit.MINUTES);
                return;
            } catch (ExecutionException e) {
                assertThat(System.nanoTime()).as("in time; last %s", e).isLessThan(deadlineNanos);
                Thread.sleep(10);
            }
        }
    }

    /** The job has something to do, but not much. */
    private static Long slowly(Long value) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        return value;
    }

    /** Passes records on and answers the coordinator. */
    private static final class Controlled extends AbstractStreamOperator<Long>
            implements OneInputStreamOperator<Long, Long> {
        private static final long serialVersionUID = 1L;

        private final transient DecodeControl control;
        private final transient MailboxExecutor mailbox;

        Controlled(StreamOperatorParameters<Long> parameters) {
            super(parameters);
            control = DecodeControl.register(parameters);
            mailbox = parameters.getMailboxExecutor();
        }

        @Override
        public void open() throws Exception {
            super.open();
            control.serve(new Sessions(getRuntimeContext().getTaskInfo().getIndexOfThisSubtask(), mailbox));
        }

        @Override
        public void processElement(StreamRecord<Long> element) {
            output.collect(element);
        }
    }

    /** Sessions without anything behind them; a token is the number of the next. */
    private record Sessions(int subtask, MailboxExecutor mailbox) implements DecodeSessions {
        @Override
        public SessionsPage sessions(String pageToken, int limit) {
            int first = pageToken.isEmpty() ? 0 : Integer.parseInt(pageToken);
            int end = Math.min(SESSIONS, first + limit);
            SessionsPage.Builder page = SessionsPage.newBuilder();
            for (int i = first; i < end; i++) {
                page.addSessions(SessionInfo.newBuilder()
                        .setSessionId(subtask + "-" + i + "-" + "x".repeat(500))
                        .setSubtask(subtask));
            }
            return page.setNextPageToken(end < SESSIONS ? Integer.toString(end) : "")
                    .build();
        }

        @Override
        public void saveAll(Consumer<SaveBlocksResult> done) {
            if (subtask == 1 && HANG_NEXT_SAVE.getAndSet(false)) {
                return;
            }
            if (subtask == 2 && FAIL_NEXT_SAVE.getAndSet(false)) {
                mailbox.execute(
                        () -> {
                            throw new IllegalStateException("a failure on purpose");
                        },
                        "fails");
                return;
            }
            SaveBlocksResult saved = SaveBlocksResult.newBuilder().setBlocks(1).build();
            mailbox.execute(() -> done.accept(saved), "saved");
        }
    }

    private static final class ControlledFactory extends AbstractStreamOperatorFactory<Long>
            implements CoordinatedOperatorFactory<Long>, OneInputStreamOperatorFactory<Long, Long> {
        private static final long serialVersionUID = 1L;

        @Override
        public OperatorCoordinator.Provider getCoordinatorProvider(String operatorName, OperatorID operatorId) {
            return new DecodeCoordinatorProvider(operatorId);
        }

        @Override
        @SuppressWarnings("unchecked")
        public <T extends StreamOperator<Long>> T createStreamOperator(StreamOperatorParameters<Long> parameters) {
            return (T) new Controlled(parameters);
        }

        @Override
        @SuppressWarnings("rawtypes")
        public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
            return Controlled.class;
        }
    }
}
