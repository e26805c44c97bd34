package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.InProcessFlink;
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
import org.apache.flink.core.execution.CheckpointType;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.checkpoint.AbstractCheckpointStats;
import org.apache.flink.runtime.checkpoint.CheckpointStatsSnapshot;
import org.apache.flink.runtime.checkpoint.CompletedCheckpointStats;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.jspecify.annotations.Nullable;

/** A Flink cluster in this process with one Millrace job, and the port to it. Its tasks run when it is returned. */
final class JobCluster implements AutoCloseable {
    private static final AtomicInteger COUNT = new AtomicInteger();

    private final String name = "bench-durability-" + COUNT.incrementAndGet();
    private final LocalPort port;
    private final InProcessFlink flink;

    private JobCluster(Configuration configuration, ServedModel model, @Nullable String savepoint) throws Exception {
        port = LocalPort.open(name, MillraceJob.portOptions(configuration));
        try {
            flink = InProcessFlink.start(
                    configuration,
                    (environment, all) ->
                            MillraceJob.define(environment, all, model, new LocalSource(name), new LocalSink(name)),
                    1,
                    savepoint);
        } catch (Exception e) {
            port.close();
            throw e;
        }
        try {
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
        return flink.cluster();
    }

    JobID jobId() {
        return flink.jobId();
    }

    /** The job's graph as it is now. */
    AccessExecutionGraph graph() throws Exception {
        return flink.graph();
    }

    /** Takes an ordinary, incremental checkpoint now, and waits for its end. */
    CompletedCheckpointStats checkpoint() throws Exception {
        long id = flink().triggerCheckpoint(jobId(), CheckpointType.CONFIGURED)
                .get(InProcessFlink.LIMIT_SECONDS, TimeUnit.SECONDS);
        CheckpointStatsSnapshot statistics = requireNonNull(graph().getCheckpointStatsSnapshot(), "statistics");
        AbstractCheckpointStats one = statistics.getHistory().getCheckpointById(id);
        if (one instanceof CompletedCheckpointStats completed) {
            return completed;
        }
        throw new IllegalStateException("checkpoint " + id + " is not among Flink's completed ones: " + one);
    }

    /** Stops the job with a native savepoint, and returns where it lies. */
    String stopWithSavepoint(Path folder) throws Exception {
        return flink().stopWithSavepoint(jobId(), folder.toUri().toString(), false, SavepointFormatType.NATIVE)
                .get(InProcessFlink.LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    /** Waits until every task runs, each restarted at least so often. */
    void awaitRunning(int restarts) throws Exception {
        flink.await(() -> flink.isRunning(restarts) && port.isReady());
    }

    @Override
    public void close() {
        port.close();
        flink.close();
    }
}
