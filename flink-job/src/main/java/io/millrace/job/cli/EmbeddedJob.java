package io.millrace.job.cli;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.local.LocalPort;
import io.millrace.gateway.Gateway;
import io.millrace.gateway.GatewayOptions;
import io.millrace.job.graph.MillraceJob;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.core.fs.Path;
import org.apache.flink.runtime.checkpoint.CheckpointStatsSnapshot;
import org.apache.flink.runtime.checkpoint.CompletedCheckpointStats;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobmaster.JobResult;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Flink cluster in this process with one Millrace job, and a gateway to it. Started when the job is ready, which is
 * when all of its tasks run: models are loaded and warmed up before.
 */
public final class EmbeddedJob implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedJob.class);
    private static final AtomicInteger PORT_NUMBER = new AtomicInteger();
    private static final Duration READY_LIMIT = Duration.ofMinutes(10);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(20);
    private static final long POLL_MS = 50;
    private static final long HEARTBEAT_MS = 5_000;

    private final MiniCluster cluster;
    private final JobID jobId;
    private final LocalPort port;
    private final Gateway gateway;
    private final String host;
    private final String modelName;
    private final String checkpointFolder;
    private volatile boolean ended;

    private EmbeddedJob(Parts parts, JobID jobId, Gateway gateway, Addresses addresses) {
        this.cluster = parts.cluster;
        this.jobId = jobId;
        this.port = parts.port;
        this.gateway = gateway;
        this.host = addresses.host();
        this.modelName = parts.modelName;
        this.checkpointFolder = parts.checkpointFolder();
    }

    /**
     * Where to listen.
     *
     * @param host address of the gateway, and of Flink's web interface unless the gateway asks for tokens
     * @param gatewayPort the gateway's port; 0 is any that is free
     * @param webPort the web interface's port or range of ports, as Flink writes them; {@code 0} is any that is free
     * @param access who the gateway lets in
     */
    public record Addresses(String host, int gatewayPort, String webPort, GatewayOptions.Access access) {
        private static final String LOOPBACK = "127.0.0.1";

        /** Any free ports of the loopback address. */
        public static final Addresses FREE_PORTS =
                new Addresses(LOOPBACK, 0, "0", GatewayOptions.Access.OPEN_ON_LOOPBACK);

        public Addresses {
            requireNonNull(host, "host");
            requireNonNull(webPort, "webPort");
            requireNonNull(access, "access");
        }

        /**
         * Options of the gateway.
         *
         * @throws ServingException {@code INVALID_REQUEST} if it were open to other machines without a token
         */
        private GatewayOptions gateway(String modelName) {
            GatewayOptions options =
                    GatewayOptions.of(modelName).withAddress(host, gatewayPort).withAccess(access);
            options.checkAccess();
            return options;
        }

        /** Flink's web interface asks for no token: it stays on this machine where the gateway asks for one. */
        private String webHost() {
            return access.tokens().isEmpty() ? host : LOOPBACK;
        }
    }

    /**
     * Starts a job and waits until it is ready.
     *
     * @param configuration Flink's options and Millrace's
     * @param progress gets a line for each thing that takes time
     * @throws ServingException if the job fails before it is ready, with the reason
     */
    public static EmbeddedJob start(Configuration configuration, Addresses addresses, Consumer<String> progress)
            throws Exception {
        Parts parts = new Parts(configuration, addresses);
        try {
            return parts.start(addresses, progress);
        } catch (Exception e) {
            parts.close();
            throw e;
        }
    }

    /** Where the gateway answers. */
    public URI gatewayUri() {
        return URI.create("http://" + host + ":" + gateway.port());
    }

    /** Where Flink's web interface answers. */
    public URI webUri() {
        return cluster.getRestAddress().join();
    }

    /** What clients call the model. */
    public String modelName() {
        return modelName;
    }

    /** HTTP requests that are being answered. */
    public int openRequestCount() {
        return gateway.openRequestCount();
    }

    /** Turns that have not ended. */
    public int openTurnCount() {
        return port.openTurns();
    }

    /** Readings of turns, ended ones included, that have not ended themselves. */
    public int subscriptionCount() {
        return port.subscriptionCount();
    }

    /** The folder of the job's own checkpoints, as Flink names it; empty if they are kept in no folder. */
    public String checkpointFolder() {
        return checkpointFolder;
    }

    /**
     * How a job ended.
     *
     * @param savepoint where its savepoint is, if it was stopped with one; else empty
     */
    public record End(How how, String savepoint) {
        /** The ways to end. */
        public enum How {
            /** From outside, with a savepoint that it can be resumed from. */
            STOPPED,
            /** From outside. */
            CANCELLED,
            /** By itself. */
            FAILED
        }
    }

    /** Waits until the job has ended, by itself or because it was closed. */
    public End awaitEnd() throws InterruptedException {
        try {
            JobResult result = cluster.requestJobResult(jobId).get();
            ended = true;
            JobStatus status = result.getJobStatus().orElse(JobStatus.FAILED);
            return switch (status) {
                case FINISHED -> new End(End.How.STOPPED, latestSavepoint());
                case CANCELED -> new End(End.How.CANCELLED, "");
                default -> new End(End.How.FAILED, "");
            };
        } catch (ExecutionException e) {
            LOG.warn("The job's end is not known", e);
            return new End(End.How.FAILED, "");
        }
    }

    private String latestSavepoint() throws InterruptedException, ExecutionException {
        CheckpointStatsSnapshot stats = cluster.getExecutionGraph(jobId).get().getCheckpointStatsSnapshot();
        CompletedCheckpointStats savepoint =
                stats == null ? null : stats.getHistory().getLatestSavepoint();
        String path = savepoint == null ? null : savepoint.getExternalPath();
        return path == null ? "" : path;
    }

    /** Takes no more requests, waits a while for those that are open, and stops everything. */
    @Override
    public void close() {
        gateway.close();
        port.close();
        try {
            if (!ended) {
                cluster.cancelJob(jobId).get(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
                cluster.requestJobResult(jobId).get(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("The job did not stop in time; the cluster is closed over it", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Parts.close(cluster);
    }

    /** What is started before the gateway, and closed if that fails. */
    private static final class Parts {
        private final String modelName;
        private final GatewayOptions gatewayOptions;
        private final LocalPort port;
        private final MiniCluster cluster;
        private final JobGraph graph;
        private final @Nullable String checkpoints;

        private Parts(Configuration given, Addresses addresses) throws Exception {
            Configuration configuration = new Configuration(given);
            configuration.set(RestOptions.ADDRESS, addresses.webHost());
            configuration.set(RestOptions.BIND_ADDRESS, addresses.webHost());
            configuration.set(RestOptions.BIND_PORT, addresses.webPort());
            checkpoints = configuration.get(CheckpointingOptions.CHECKPOINTS_DIRECTORY);
            modelName = MillraceJob.modelName(configuration);
            gatewayOptions = addresses.gateway(modelName);
            port = LocalPort.open("embedded-" + PORT_NUMBER.incrementAndGet(), MillraceJob.portOptions(configuration));
            StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
            MillraceJob.define(environment, configuration, port.name());
            graph = environment.getStreamGraph().getJobGraph();
            cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                    .setConfiguration(configuration)
                    .setNumTaskManagers(1)
                    .setNumSlotsPerTaskManager(graph.getMaximumParallelism())
                    .build());
        }

        private EmbeddedJob start(Addresses addresses, Consumer<String> progress) throws Exception {
            progress.accept("starting Flink");
            cluster.start();
            cluster.submitJob(graph).get();
            progress.accept("loading and warming up " + modelName);
            awaitRunning(progress);
            Gateway gateway = new Gateway(gatewayOptions, port);
            gateway.start();
            return new EmbeddedJob(this, graph.getJobID(), gateway, addresses);
        }

        private void awaitRunning(Consumer<String> progress) throws Exception {
            long polls = READY_LIMIT.toMillis() / POLL_MS;
            for (long poll = 1; poll <= polls; poll++) {
                AccessExecutionGraph state =
                        cluster.getExecutionGraph(graph.getJobID()).get();
                if (port.isReady() && allRunning(state)) {
                    return;
                }
                if (state.getFailureInfo() != null) {
                    throw new ServingException(
                            ErrorCode.UNAVAILABLE,
                            "the job failed before it was ready: "
                                    + rootMessage(state.getFailureInfo()
                                            .getException()
                                            .deserializeError(EmbeddedJob.class.getClassLoader())));
                }
                if (poll * POLL_MS % HEARTBEAT_MS == 0) {
                    progress.accept("  still warming up, " + poll * POLL_MS / 1000 + " s");
                }
                Thread.sleep(POLL_MS);
            }
            throw new ServingException(
                    ErrorCode.UNAVAILABLE, "the job was not ready within " + READY_LIMIT.toMinutes() + " minutes");
        }

        private String checkpointFolder() {
            return checkpoints == null
                    ? ""
                    : new Path(new Path(checkpoints), graph.getJobID().toString()).toString();
        }

        private static boolean allRunning(AccessExecutionGraph state) {
            for (AccessExecutionVertex vertex : state.getAllExecutionVertices()) {
                if (vertex.getExecutionState() != ExecutionState.RUNNING) {
                    return false;
                }
            }
            return true;
        }

        private static String rootMessage(Throwable error) {
            Throwable root = error;
            while (root.getCause() != null && root.getCause() != root) {
                root = root.getCause();
            }
            return root.getMessage() == null ? root.toString() : root.getMessage();
        }

        private void close() {
            port.close();
            close(cluster);
        }

        private static void close(MiniCluster cluster) {
            try {
                cluster.close();
            } catch (Exception e) {
                throw new IllegalStateException("the cluster did not stop", e);
            }
        }
    }
}
