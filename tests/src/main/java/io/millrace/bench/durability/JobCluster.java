package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.local.LocalPort;
import io.millrace.connector.local.LocalSink;
import io.millrace.connector.local.LocalSource;
import io.millrace.job.graph.MillraceJob;
import io.millrace.operators.ServedModel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.core.execution.CheckpointType;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.checkpoint.AbstractCheckpointStats;
import org.apache.flink.runtime.checkpoint.CheckpointStatsSnapshot;
import org.apache.flink.runtime.checkpoint.CompletedCheckpointStats;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A Flink cluster in this process with one Millrace job, and the port to it. Its tasks run when it is returned. */
final class JobCluster implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JobCluster.class);
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final long LIMIT_SECONDS = 300;
    private static final long POLL_MS = 10;

    private final String name = "bench-durability-" + COUNT.incrementAndGet();
    private final LocalPort port;
    private final MiniCluster cluster;
    private final JobID jobId;

    private JobCluster(Configuration given, ServedModel model, @Nullable String savepoint) throws Exception {
        Configuration configuration = new Configuration(given);
        configuration.set(RestOptions.BIND_ADDRESS, "127.0.0.1");
        configuration.set(RestOptions.BIND_PORT, "0");
        port = LocalPort.open(name, MillraceJob.portOptions(configuration));
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        MillraceJob.define(environment, configuration, model, new LocalSource(name), new LocalSink(name));
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
        try {
            cluster.start();
            cluster.submitJob(graph).get(LIMIT_SECONDS, TimeUnit.SECONDS);
            awaitRunning(0);
        } catch (Exception e) {
            close();
            throw e;
        }
    }

    /** Starts a job and waits until it runs. */
    static JobCluster start(Configuration configuration, ServedModel model) throws Exception {
        return new JobCluster(configuration, model, null);
    }

    /** Starts a job from a savepoint and waits until it runs. */
    static JobCluster resume(Configuration configuration, ServedModel model, String savepoint) throws Exception {
        return new JobCluster(configuration, model, requireNonNull(savepoint, "savepoint"));
    }

    LocalPort port() {
        return port;
    }

    MiniCluster flink() {
        return cluster;
    }

    JobID jobId() {
        return jobId;
    }

    /** The job's graph as it is now. */
    AccessExecutionGraph graph() throws Exception {
        return cluster.getExecutionGraph(jobId).get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    /** Takes an ordinary, incremental checkpoint now, and waits for its end. */
    CompletedCheckpointStats checkpoint() throws Exception {
        long id = cluster.triggerCheckpoint(jobId, CheckpointType.CONFIGURED).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        CheckpointStatsSnapshot statistics = requireNonNull(graph().getCheckpointStatsSnapshot(), "statistics");
        AbstractCheckpointStats one = statistics.getHistory().getCheckpointById(id);
        if (one instanceof CompletedCheckpointStats completed) {
            return completed;
        }
        throw new IllegalStateException("checkpoint " + id + " is not among Flink's completed ones: " + one);
    }

    /** Stops the job with a native savepoint, and returns where it lies. */
    String stopWithSavepoint(Path folder) throws Exception {
        return cluster.stopWithSavepoint(jobId, folder.toUri().toString(), false, SavepointFormatType.NATIVE)
                .get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    /** Waits until every task runs, each restarted at least so often. */
    void awaitRunning(int restarts) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!isRunning(restarts)) {
            AccessExecutionGraph state = graph();
            if (state.getState().isGloballyTerminalState() || System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("the job does not run; it is " + state.getState() + ", "
                        + (state.getFailureInfo() == null
                                ? "without a failure"
                                : state.getFailureInfo().getExceptionAsString()));
            }
            Thread.sleep(POLL_MS);
        }
    }

    private boolean isRunning(int restarts) throws Exception {
        for (AccessExecutionVertex vertex : graph().getAllExecutionVertices()) {
            if (vertex.getCurrentExecutionAttempt().getAttemptNumber() < restarts
                    || vertex.getExecutionState() != ExecutionState.RUNNING) {
                return false;
            }
        }
        return port.isReady();
    }

    @Override
    public void close() {
        port.close();
        try {
            if (cluster.isRunning()) {
                cluster.cancelJob(jobId).get(LIMIT_SECONDS, TimeUnit.SECONDS);
                cluster.requestJobResult(jobId).get(LIMIT_SECONDS, TimeUnit.SECONDS);
            }
        } catch (Exception e) {
            // It has ended already, or it will not: the cluster is closed over it.
            LOG.debug("the job was not cancelled", e);
        }
        try {
            cluster.close();
        } catch (Exception e) {
            throw new IllegalStateException("the cluster did not stop", e);
        }
    }
}
