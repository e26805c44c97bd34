package io.millrace.job.client;

import static java.util.Objects.requireNonNull;

import io.millrace.job.graph.MillraceJob;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.operators.decode.coordination.DecodeControlClient;
import io.millrace.proto.SaveBlocksResult;
import io.millrace.proto.SessionInfo;
import io.millrace.proto.SessionsPage;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.client.program.rest.RestClusterClient;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.SecurityOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.client.JobStatusMessage;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.jobgraph.JobResourceRequirements;
import org.apache.flink.runtime.rest.messages.job.JobDetailsInfo.JobVertexDetailsInfo;
import org.jspecify.annotations.Nullable;

/**
 * A job that runs on a cluster, by the cluster's REST interface. Every method ends with a {@link ServingException} of
 * {@code UNAVAILABLE} where the cluster does not answer or does not do as it is asked, with what it said.
 */
public final class RunningJob implements AutoCloseable {
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);
    private static final long POLL_MS = 250;
    private static final Duration SAVE_LIMIT = Duration.ofMinutes(4);
    private static final Duration SAVEPOINT_LIMIT = Duration.ofMinutes(30);

    private final RestClusterClient<String> client;
    private final URI url;
    private final JobID jobId;

    private RunningJob(RestClusterClient<String> client, URI url, JobID jobId) {
        this.client = client;
        this.url = url;
        this.jobId = jobId;
    }

    /**
     * Finds a job.
     *
     * @param url of the cluster's REST interface, such as {@code http://localhost:8081}
     * @param wanted the job's id; null is the only one that runs
     * @throws ServingException {@code INVALID_REQUEST} if the address is none, or no job or more than one fits
     */
    public static RunningJob connect(URI url, @Nullable JobID wanted) {
        RestClusterClient<String> client = client(url);
        try {
            return new RunningJob(client, url, wanted == null ? onlyJob(client, url) : wanted);
        } catch (RuntimeException e) {
            client.close();
            throw e;
        }
    }

    /** The job's id. */
    public JobID jobId() {
        return jobId;
    }

    /** Has every block written that the job's state does not have yet, so that a savepoint after it has them. */
    public SaveBlocksResult saveBlocks() {
        return await(control().saveBlocks(SAVE_LIMIT), SAVE_LIMIT.plus(ANSWER_LIMIT), "saving its sessions' blocks");
    }

    /**
     * Makes a savepoint while the job runs on.
     *
     * @param directory where; null is where the job's configuration says
     * @return the savepoint's own folder
     */
    public String savepoint(@Nullable String directory, SavepointFormatType format) {
        return await(client.triggerSavepoint(jobId, directory, format), SAVEPOINT_LIMIT, "a savepoint");
    }

    /**
     * Makes a savepoint and ends the job with it; its unfinished turns are in the savepoint.
     *
     * @param directory where; null is where the job's configuration says
     * @return the savepoint's own folder
     */
    public String stop(@Nullable String directory, SavepointFormatType format) {
        return await(
                client.stopWithSavepoint(jobId, false, directory, format),
                SAVEPOINT_LIMIT,
                "stopping with a savepoint");
    }

    /**
     * Asks that the job run with another parallelism, if it has the slots. The source keeps its own: it follows the
     * partitions of its topic. Only Flink's adaptive scheduler takes this.
     *
     * @param parallelism subtasks of each operator at most; while there are fewer slots the job runs with fewer
     */
    public void rescale(int parallelism) {
        JobResourceRequirements.Builder requirements = JobResourceRequirements.newBuilder();
        for (JobVertexDetailsInfo vertex : vertices()) {
            int most = isSource(vertex) ? vertex.getParallelism() : Math.min(parallelism, vertex.getMaxParallelism());
            requirements.setParallelismForJobVertex(vertex.getJobVertexID(), 1, most);
        }
        await(client.updateJobResourceRequirements(jobId, requirements.build()), ANSWER_LIMIT, "to be rescaled");
    }

    /**
     * Waits until the job runs with a parallelism.
     *
     * @return whether it did in time
     */
    public boolean awaitParallelism(int parallelism, Duration limit) throws InterruptedException {
        long deadlineNanos = System.nanoTime() + limit.toNanos();
        while (!runsWith(parallelism)) {
            if (System.nanoTime() > deadlineNanos) {
                return false;
            }
            Thread.sleep(POLL_MS);
        }
        return true;
    }

    private boolean runsWith(int parallelism) {
        Collection<JobVertexDetailsInfo> vertices = vertices();
        return vertices.stream()
                        .filter(vertex -> !isSource(vertex))
                        .allMatch(
                                vertex -> vertex.getParallelism() == Math.min(parallelism, vertex.getMaxParallelism()))
                && vertices.stream().allMatch(vertex -> vertex.getExecutionState() == ExecutionState.RUNNING);
    }

    private Collection<JobVertexDetailsInfo> vertices() {
        return await(client.getJobDetails(jobId), ANSWER_LIMIT, "its details").getJobVertexInfos();
    }

    private static boolean isSource(JobVertexDetailsInfo vertex) {
        return vertex.getName().startsWith("Source:");
    }

    /**
     * The sessions that Decode has.
     *
     * @param limit sessions at most
     */
    public SessionListing sessions(int limit) {
        List<SessionInfo> sessions = new ArrayList<>();
        String token = "";
        do {
            SessionsPage page = await(
                    control().sessions(token, limit - sessions.size()), ANSWER_LIMIT.multipliedBy(2), "its sessions");
            sessions.addAll(page.getSessionsList());
            token = page.getNextPageToken();
        } while (!token.isEmpty() && sessions.size() < limit);
        boolean more = !token.isEmpty() || sessions.size() > limit;
        return new SessionListing(sessions.subList(0, Math.min(limit, sessions.size())), more);
    }

    @Override
    public void close() {
        client.close();
    }

    private DecodeControlClient control() {
        return new DecodeControlClient(
                MillraceJob.DECODE_UID, (uid, request) -> client.sendCoordinationRequest(jobId, uid, request));
    }

    private static RestClusterClient<String> client(URI url) {
        String scheme = url.getScheme() == null ? "" : url.getScheme();
        boolean encrypted = scheme.equals("https");
        if (url.getHost() == null || !(encrypted || scheme.equals("http"))) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST, "not an address such as http://localhost:8081: '" + url + "'");
        }
        Configuration configuration = new Configuration();
        configuration.set(RestOptions.ADDRESS, url.getHost());
        configuration.set(RestOptions.PORT, url.getPort() >= 0 ? url.getPort() : encrypted ? 443 : 80);
        configuration.set(RestOptions.PATH, url.getPath() == null ? "" : url.getPath());
        configuration.set(SecurityOptions.SSL_REST_ENABLED, encrypted);
        // A person waits: a cluster that is not there is said to be so within a second or two.
        configuration.set(RestOptions.RETRY_MAX_ATTEMPTS, 3);
        configuration.set(RestOptions.RETRY_DELAY, Duration.ofMillis(300));
        try {
            return new RestClusterClient<>(configuration, "millrace");
        } catch (Exception e) {
            throw unavailable("no client for Flink at " + url + " could be made", e);
        }
    }

    private static JobID onlyJob(RestClusterClient<String> client, URI url) {
        Collection<JobStatusMessage> jobs;
        try {
            jobs = client.listJobs().get(ANSWER_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw unavailable("no Flink answers at " + url + "; --url says where it is", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unavailable("interrupted", e);
        }
        List<JobStatusMessage> running = jobs.stream()
                .filter(job -> !job.getJobState().isGloballyTerminalState() && job.getJobState() != JobStatus.SUSPENDED)
                .toList();
        if (running.size() == 1) {
            return running.get(0).getJobId();
        }
        if (running.isEmpty()) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "no job runs on the Flink at " + url);
        }
        throw new ServingException(
                ErrorCode.INVALID_REQUEST,
                "more than one job runs on the Flink at " + url + "; name one with --job: "
                        + running.stream()
                                .map(job -> job.getJobId() + " (" + job.getJobName() + ")")
                                .collect(Collectors.joining(", ")));
    }

    private <T> T await(CompletableFuture<T> answer, Duration limit, String what) {
        try {
            return requireNonNull(answer.get(limit.toMillis(), TimeUnit.MILLISECONDS), what);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ServingException serving) {
                throw serving;
            }
            throw unavailable("job " + jobId + " on the Flink at " + url + " refused " + what, e);
        } catch (TimeoutException e) {
            throw unavailable(what + " took job " + jobId + " longer than " + limit.toSeconds() + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unavailable("interrupted", e);
        }
    }

    private static ServingException unavailable(String message, Exception cause) {
        Throwable root = cause;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        String why = root.getMessage() == null ? root.getClass().getSimpleName() : reason(root.getMessage());
        return new ServingException(ErrorCode.UNAVAILABLE, message + ": " + why, cause);
    }

    /** Flink's REST errors are whole stack traces; the last cause in one is what was wrong. */
    private static String reason(String message) {
        String reason = message;
        // A list of traces begins with a bracket.
        reason = reason.startsWith("[") ? reason.substring(1) : reason;
        int cause = message.lastIndexOf("Caused by: ");
        if (cause >= 0) {
            reason = message.substring(cause + "Caused by: ".length());
        }
        int end = reason.indexOf("\n\tat ");
        return (end >= 0 ? reason.substring(0, end) : reason).strip();
    }
}
