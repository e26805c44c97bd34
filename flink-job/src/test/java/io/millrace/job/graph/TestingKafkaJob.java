package io.millrace.job.graph;

import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.operators.ServedModel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;

/** A job over Kafka on a cluster of its own in this process. */
final class TestingKafkaJob implements AutoCloseable {
    private static final long TIMEOUT_MS = 60_000;

    private final MiniCluster cluster;
    private final JobID jobId;

    TestingKafkaJob(KafkaSettings kafka, ServedModel model, Configuration options) throws Exception {
        this(kafka, model, options, null);
    }

    /** Starts a job, from a savepoint if one is given, and waits until it runs. */
    TestingKafkaJob(KafkaSettings kafka, ServedModel model, Configuration options, @Nullable String savepoint)
            throws Exception {
        Configuration configuration = defaults(kafka);
        configuration.addAll(options);
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        MillraceJob.defineOverKafka(environment, configuration, model);
        JobGraph graph = environment.getStreamGraph().getJobGraph();
        if (savepoint != null) {
            graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(savepoint, false));
        }
        jobId = graph.getJobID();
        cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(graph.getMaximumParallelism())
                .build());
        cluster.start();
        cluster.submitJob(graph).get();
        awaitRunning(0);
    }

    /** Short checkpoints and restarts, little memory, any port. */
    private static Configuration defaults(KafkaSettings kafka) {
        Configuration configuration = new Configuration();
        configuration.set(MillraceOptions.MODEL_NAME, "testing");
        // A token a step: turns of slow models are still under way when something is done to them.
        configuration.set(MillraceOptions.SPECULATION_ENABLED, false);
        configuration.set(MillraceOptions.CONNECTOR, MillraceOptions.Connector.KAFKA);
        configuration.set(KafkaOptions.BOOTSTRAP_SERVERS, kafka.bootstrapServers());
        configuration.set(KafkaOptions.REQUEST_TOPIC, kafka.requestTopic());
        configuration.set(KafkaOptions.TOKEN_TOPIC, kafka.tokenTopic());
        configuration.set(KafkaOptions.DEAD_LETTER_TOPIC, kafka.deadLetterTopic());
        configuration.set(KafkaOptions.GROUP_ID, kafka.requestTopic());
        configuration.set(KafkaOptions.TRANSACTIONAL_ID_PREFIX, kafka.requestTopic());
        configuration.set(RestOptions.BIND_PORT, "0");
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(200));
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, 100);
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(50));
        configuration.set(TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(32));
        configuration.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(32));
        configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(16));
        return configuration;
    }

    /** Waits until every task runs, each restarted at least so often. */
    void awaitRunning(int restarts) throws Exception {
        TestingJob.await("every task runs after " + restarts + " restarts", () -> {
            for (AccessExecutionVertex vertex : graph().getAllExecutionVertices()) {
                if (vertex.getCurrentExecutionAttempt().getAttemptNumber() < restarts
                        || vertex.getExecutionState() != ExecutionState.RUNNING) {
                    return false;
                }
            }
            return true;
        });
    }

    /** How often the job's first task was started again. */
    int restarts() {
        return graph().getAllExecutionVertices()
                .iterator()
                .next()
                .getCurrentExecutionAttempt()
                .getAttemptNumber();
    }

    /** Waits for one more checkpoint, all of it after this call. */
    void checkpoint() throws Exception {
        cluster.triggerCheckpoint(jobId).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    }

    /** Loses the TaskManager with all that the tasks had in memory; another one takes its place. */
    void replaceTaskManager() throws Exception {
        cluster.terminateTaskManager(0).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
        cluster.startTaskManager();
    }

    /** Stops the job with a savepoint in a directory; returns the savepoint. */
    String stopWithSavepoint(String directory) throws Exception {
        return cluster.stopWithSavepoint(jobId, directory, false, SavepointFormatType.CANONICAL)
                .get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    }

    private AccessExecutionGraph graph() {
        try {
            return cluster.getExecutionGraph(jobId).get();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws Exception {
        cluster.close();
    }
}
