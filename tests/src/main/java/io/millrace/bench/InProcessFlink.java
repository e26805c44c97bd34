package io.millrace.bench;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
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

/** A Flink cluster in this process with one job, whose tasks run when it is returned. */
public final class InProcessFlink implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(InProcessFlink.class);
    /** How long Flink may take for anything that is asked of it. */
    public static final long LIMIT_SECONDS = 300;

    private static final long POLL_MS = 10;

    private final MiniCluster cluster;
    private final JobID jobId;

    /** Puts a job into an environment. */
    @FunctionalInterface
    public interface Definition {
        void define(StreamExecutionEnvironment environment, Configuration configuration);
    }

    private InProcessFlink(Configuration given, Definition job, int taskManagers, @Nullable String savepoint)
            throws Exception {
        Configuration configuration = new Configuration(given);
        configuration.set(RestOptions.BIND_ADDRESS, "127.0.0.1");
        configuration.set(RestOptions.BIND_PORT, "0");
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        requireNonNull(job, "job").define(environment, configuration);
        JobGraph graph = environment.getStreamGraph().getJobGraph();
        if (savepoint != null) {
            graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(savepoint, false));
        }
        jobId = graph.getJobID();
        cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(taskManagers)
                .setNumSlotsPerTaskManager(graph.getMaximumParallelism())
                .build());
        try {
            cluster.start();
            cluster.submitJob(graph).get(LIMIT_SECONDS, TimeUnit.SECONDS);
            await(() -> isRunning(0));
        } catch (Exception e) {
            close();
            throw e;
        }
    }

    /** Starts a job on one TaskManager. */
    public static InProcessFlink start(Configuration configuration, Definition job) throws Exception {
        return start(configuration, job, 1, null);
    }

    /**
     * Starts a job.
     *
     * @param taskManagers each with as many slots as the job's parallelism
     * @param savepoint to begin with; null is none
     */
    public static InProcessFlink start(
            Configuration configuration, Definition job, int taskManagers, @Nullable String savepoint)
            throws Exception {
        return new InProcessFlink(configuration, job, taskManagers, savepoint);
    }

    /** The cluster itself. */
    public MiniCluster cluster() {
        return cluster;
    }

    /** The job's id. */
    public JobID jobId() {
        return jobId;
    }

    /** The job's graph as it is now. */
    public AccessExecutionGraph graph() throws Exception {
        return cluster.getExecutionGraph(jobId).get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    /** Whether every task runs, each restarted at least so often. */
    public boolean isRunning(int restarts) throws Exception {
        for (AccessExecutionVertex vertex : graph().getAllExecutionVertices()) {
            if (vertex.getCurrentExecutionAttempt().getAttemptNumber() < restarts
                    || vertex.getExecutionState() != ExecutionState.RUNNING) {
                return false;
            }
        }
        return true;
    }

    /**
     * Waits for something that the job is to bring about.
     *
     * @throws IllegalStateException if the job ends before, or it takes too long
     */
    public void await(Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!condition.call()) {
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

    @Override
    public void close() {
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
