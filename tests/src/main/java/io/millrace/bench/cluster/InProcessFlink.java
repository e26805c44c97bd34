package io.millrace.bench.cluster;

import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A Flink cluster in this process with one job, whose tasks run when it is returned. */
final class InProcessFlink implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(InProcessFlink.class);
    private static final long LIMIT_SECONDS = 120;
    private static final long POLL_MS = 20;

    private final MiniCluster cluster;
    private final JobID jobId;

    /** Puts a job into an environment. */
    @FunctionalInterface
    interface Definition {
        void define(StreamExecutionEnvironment environment, Configuration configuration);
    }

    private InProcessFlink(Configuration given, Definition job) throws Exception {
        Configuration configuration = new Configuration(given);
        configuration.set(RestOptions.BIND_ADDRESS, "127.0.0.1");
        configuration.set(RestOptions.BIND_PORT, "0");
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        job.define(environment, configuration);
        JobGraph graph = environment.getStreamGraph().getJobGraph();
        jobId = graph.getJobID();
        cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(graph.getMaximumParallelism())
                .build());
        try {
            cluster.start();
            cluster.submitJob(graph).get(LIMIT_SECONDS, TimeUnit.SECONDS);
            awaitRunning();
        } catch (Exception e) {
            close();
            throw e;
        }
    }

    /** Starts a job. */
    static InProcessFlink start(Configuration configuration, Definition job) throws Exception {
        return new InProcessFlink(configuration, job);
    }

    private void awaitRunning() throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (true) {
            AccessExecutionGraph graph = cluster.getExecutionGraph(jobId).get(LIMIT_SECONDS, TimeUnit.SECONDS);
            boolean running = true;
            for (AccessExecutionVertex vertex : graph.getAllExecutionVertices()) {
                running &= vertex.getExecutionState() == ExecutionState.RUNNING;
            }
            if (running) {
                return;
            }
            if (graph.getState().isGloballyTerminalState() || System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("the job does not run; it is " + graph.getState() + ", "
                        + (graph.getFailureInfo() == null
                                ? "without a failure"
                                : graph.getFailureInfo().getExceptionAsString()));
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
