package io.millrace.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.local.LocalPort;
import io.millrace.connector.local.LocalSink;
import io.millrace.connector.local.LocalSource;
import io.millrace.job.graph.MillraceJob;
import io.millrace.operators.ServedModel;
import io.millrace.operators.decode.coordination.DecodeControlClient;
import io.millrace.proto.SaveBlocksResult;
import io.millrace.proto.TokenChunk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.executiongraph.ErrorInfo;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.operators.coordination.CoordinationRequest;
import org.apache.flink.runtime.scheduler.stopwithsavepoint.StopWithSavepointStoppingException;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.ExceptionUtils;
import org.apache.flink.util.SerializedValue;
import org.jspecify.annotations.Nullable;

/** One job of a run, with the run's faults at its edges. The port outlives it. */
public final class DurableJob implements AutoCloseable {
    private static final long TIMEOUT_MS = 60_000;
    private static final long POLL_MS = 2;
    private static final int SUBMISSIONS_MAX = 10;

    private final MiniCluster cluster;
    private final LocalPort port;
    private final JobID jobId;

    private DurableJob(MiniCluster cluster, LocalPort port, JobID jobId) {
        this.cluster = cluster;
        this.port = port;
        this.jobId = jobId;
    }

    /**
     * What a job is made of.
     *
     * @param options Flink's and Millrace's
     * @param model what is served; its faults are those of the port's name
     * @param chained whether Decode hands its chunks to the port itself; they are recorded otherwise
     * @param savepoint to begin with, if there is one
     */
    public record Plan(
            Configuration options,
            ServedModel model,
            boolean chained,
            @Nullable String savepoint) {
        public Plan {
            requireNonNull(options, "options");
            requireNonNull(model, "model");
        }
    }

    /** Submits a job to a port, whose name is the run's; again, if its savepoint could not be read. */
    public static DurableJob submit(DurableCluster durable, LocalPort port, Plan plan) throws Exception {
        MiniCluster cluster = durable.flink();
        DurableJob job = null;
        for (int attempt = 1; attempt <= SUBMISSIONS_MAX && (job == null || job.failedAtOnce()); attempt++) {
            JobGraph graph = graph(port.name(), plan);
            cluster.submitJob(graph).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
            job = new DurableJob(cluster, port, graph.getJobID());
        }
        return requireNonNull(job, "job");
    }

    private static JobGraph graph(String run, Plan plan) {
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(plan.options());
        Sink<TokenChunk> sink = new LocalSink(run);
        MillraceJob.define(
                environment,
                plan.options(),
                new FaultyModel(run, plan.model()),
                new FaultySource<>(run, new LocalSource(run)),
                plan.chained() ? sink : new RecordingSink(run, sink));
        JobGraph graph = environment.getStreamGraph().getJobGraph();
        if (plan.savepoint() != null) {
            graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(plan.savepoint(), false));
        }
        return graph;
    }

    /** A savepoint that cannot be read ends a job before its tasks begin; whoever submitted it submits it again. */
    private boolean failedAtOnce() throws Exception {
        while (status() == JobStatus.INITIALIZING) {
            Thread.sleep(POLL_MS);
        }
        return status() == JobStatus.FAILED;
    }

    /** Flink's name of it. */
    public JobID id() {
        return jobId;
    }

    /** Waits until the port has been attached to, so that turns may be submitted. */
    public void awaitAttached() throws Exception {
        long deadlineNanos = deadlineNanos();
        while (!port.isReady()) {
            checkAlive();
            if (System.nanoTime() > deadlineNanos) {
                throw new TimeoutException("the job did not attach to its port; it is " + status());
            }
            Thread.sleep(POLL_MS);
        }
    }

    /** Its state now. */
    public JobStatus status() throws Exception {
        return cluster.getJobStatus(jobId).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    }

    /** Throws what ended the job, if it has ended. */
    public void checkAlive() throws Exception {
        if (status().isGloballyTerminalState()) {
            throw new IllegalStateException("the job is " + status() + ": " + lastFailure());
        }
    }

    /** The latest failure that the job was restarted for, or ended with. */
    public String lastFailure() throws Exception {
        ErrorInfo failure = cluster.getExecutionGraph(jobId)
                .get(TIMEOUT_MS, TimeUnit.MILLISECONDS)
                .getFailureInfo();
        return failure == null ? "no failure" : failure.getExceptionAsString();
    }

    /** How often it was restarted: the highest attempt of its tasks. */
    public int restarts() throws Exception {
        int restarts = 0;
        for (AccessExecutionVertex vertex : cluster.getExecutionGraph(jobId)
                .get(TIMEOUT_MS, TimeUnit.MILLISECONDS)
                .getAllExecutionVertices()) {
            restarts = Math.max(restarts, vertex.getCurrentExecutionAttempt().getAttemptNumber());
        }
        return restarts;
    }

    /**
     * Has the blocks of all sessions saved.
     *
     * @return what was saved; empty where the job was restarting, or a failure came in between
     */
    public Optional<SaveBlocksResult> saveBlocks() throws Exception {
        DecodeControlClient client = new DecodeControlClient(
                MillraceJob.DECODE_UID,
                (uid, request) -> cluster.deliverCoordinationRequestToCoordinator(jobId, uid, serialized(request)));
        try {
            return Optional.of(client.saveBlocks(Duration.ofSeconds(10)).get(TIMEOUT_MS, TimeUnit.MILLISECONDS));
        } catch (ExecutionException e) {
            checkAlive();
            return Optional.empty();
        }
    }

    private static SerializedValue<CoordinationRequest> serialized(CoordinationRequest request) {
        try {
            return new SerializedValue<>(request);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits for one more checkpoint, all of it after this call. */
    public void checkpoint() throws Exception {
        cluster.triggerCheckpoint(jobId).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    }

    /** Stops the job with a savepoint, again and again until that works; returns the savepoint. */
    public String stopWithSavepoint(String folder, SavepointFormatType format) throws Exception {
        long deadlineNanos = deadlineNanos();
        while (true) {
            try {
                return cluster.stopWithSavepoint(jobId, folder, false, format).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                Optional<StopWithSavepointStoppingException> taken =
                        ExceptionUtils.findThrowable(e, StopWithSavepointStoppingException.class);
                if (taken.isPresent()) {
                    // A task failed between the savepoint and its end; Flink ends the job, and names the savepoint.
                    return taken.get().getSavepointPath();
                }
                // It was about to restart, or a failure on purpose came in between.
                checkAlive();
                if (System.nanoTime() > deadlineNanos) {
                    throw e;
                }
                Thread.sleep(POLL_MS);
            }
        }
    }

    /** Cancels the job, if it runs, and waits for its end. */
    @Override
    public void close() throws Exception {
        if (!status().isGloballyTerminalState()) {
            cluster.cancelJob(jobId).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
        }
        cluster.requestJobResult(jobId).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    }

    private static long deadlineNanos() {
        return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MS);
    }
}
