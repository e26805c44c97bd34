package io.millrace.job.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.broker.JavaProcess;
import io.millrace.job.client.RunningJob;
import io.millrace.job.client.SavepointPath;
import io.millrace.job.graph.MillraceJob;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.SavepointFormatType;
import org.jspecify.annotations.Nullable;

/**
 * A cluster of real processes on this machine: a Kafka broker, Flink's JobManagers and TaskManagers, gateways. Its
 * processes outlive this JVM; another one finds them by the cluster's folder. All listen at the loopback address.
 */
public final class ClusterProcesses implements AutoCloseable {
    private static final Duration STOP_LIMIT = Duration.ofSeconds(20);

    private static final Set<ClusterRole.Kind> FLINK =
            Set.of(ClusterRole.Kind.JOBMANAGER, ClusterRole.Kind.TASKMANAGER);

    private final ClusterFolder folder;
    private final Distribution distribution;
    private ClusterState state;

    private ClusterProcesses(ClusterFolder folder, Distribution distribution, ClusterState state) {
        this.folder = folder;
        this.distribution = distribution;
        this.state = state;
    }

    /**
     * Starts what does not run of a cluster, and waits until it is ready. Where some of it runs already, the settings
     * that it was started with stay, and there may be more processes than before but not fewer.
     *
     * @param path the cluster's folder, with what it keeps between its starts
     * @param progress gets a line for each thing that takes time
     * @throws ServingException if a part of it does not become ready, with what that logged
     */
    public static ClusterProcesses up(Path path, ClusterPlan plan, Distribution distribution, Consumer<String> progress)
            throws IOException, InterruptedException {
        ClusterFolder folder = new ClusterFolder(Files.createDirectories(path));
        ClusterState known = ClusterState.read(folder.path());
        boolean alive = known != null && known.anyAlive();
        ClusterState state = known == null
                ? ClusterState.of(plan)
                : alive ? known.withPlan(grown(known.plan(), plan)) : restarted(known, plan);
        ClusterProcesses cluster = new ClusterProcesses(folder, distribution, state);
        try {
            cluster.heal(progress);
            return cluster;
        } catch (IOException | RuntimeException | InterruptedException e) {
            if (!alive) {
                // What was there before stays as it was; what only this call started does not stay behind.
                ClusterState started = ClusterState.read(folder.path());
                cluster.state = started == null ? state : started;
                cluster.end(line -> {});
            }
            throw e;
        }
    }

    /** The cluster that a folder has; null if there was never one. */
    public static @Nullable ClusterProcesses find(Path path, Distribution distribution) {
        ClusterFolder folder = new ClusterFolder(path);
        ClusterState state = ClusterState.read(folder.path());
        return state == null ? null : new ClusterProcesses(folder, distribution, state);
    }

    private static ClusterState restarted(ClusterState known, ClusterPlan plan) {
        Map<String, Integer> free = ClusterPorts.stillFree(plan, known.ports());
        return new ClusterState(plan, free, Map.of(), known.bootstrapServers(), known.job(), known.savepoint());
    }

    private static ClusterPlan grown(ClusterPlan running, ClusterPlan wanted) {
        return running.withProcesses(
                Math.max(running.taskManagers(), wanted.taskManagers()),
                Math.max(running.gateways(), wanted.gateways()));
    }

    /**
     * Starts what does not run, under the ports and ids that it had, and waits until all is ready. A job that was lost
     * with its JobManager is submitted again, from its newest savepoint or checkpoint.
     */
    public void heal(Consumer<String> progress) throws IOException, InterruptedException {
        state = new ClusterStart(folder, distribution, state, progress).run();
    }

    /** Starts the process of one role again, if it does not run, and does not wait for it. The broker it waits for. */
    public void start(ClusterRole role) throws IOException, InterruptedException {
        state = new ClusterStart(folder, distribution, state, line -> {}).start(role);
    }

    /** What the cluster is made of. */
    public ClusterPlan plan() {
        return state.plan();
    }

    /** All roles, in the order in which they are started. */
    public List<ClusterRole> roles() {
        return ClusterStart.roles(state.plan());
    }

    /** The process of a role; empty if it does not run. */
    public Optional<JavaProcess> process(ClusterRole role) {
        return state.process(role);
    }

    /**
     * Kills a process at once, as a machine that loses its power would.
     *
     * @throws ServingException {@code INVALID_REQUEST} if it does not run
     */
    public void kill(ClusterRole role) throws InterruptedException {
        process(role)
                .orElseThrow(
                        () -> new ServingException(ErrorCode.INVALID_REQUEST, "no process runs as " + role.label()))
                .kill();
    }

    /** Where what a role's process logs is; those that were replaced are in it too. */
    public Path log(ClusterRole role) {
        return folder.log(role);
    }

    /** Flink's REST interface and web page: that of the first JobManager that runs. */
    public URI restUri() {
        for (int i = 1; i <= state.plan().jobManagers(); i++) {
            if (process(ClusterRole.jobManager(i)).isPresent()) {
                return restUri(i);
            }
        }
        return restUri(1);
    }

    /** The REST interface of one JobManager. */
    public URI restUri(int jobManager) {
        return uri(ClusterPorts.rest(jobManager));
    }

    /** Where clients connect, one for each gateway, be it running or not. */
    public List<URI> gatewayUris() {
        List<URI> uris = new ArrayList<>();
        for (int i = 1; i <= state.plan().gateways(); i++) {
            uris.add(uri(ClusterPorts.gateway(i)));
        }
        return uris;
    }

    /**
     * What clients call the model.
     *
     * @throws ServingException {@code INVALID_REQUEST} if the plan's settings name none
     */
    public String modelName() {
        return MillraceJob.modelName(Configuration.fromMap(state.plan().settings()));
    }

    /** Where Kafka's clients begin; empty without a broker. */
    public String bootstrapServers() {
        return state.bootstrapServers();
    }

    /** The folder of all that is its own. */
    public Path folder() {
        return folder.path();
    }

    /** The settings file that its processes were started with, and that {@code flink run} takes. */
    public Path configFile() {
        return folder.configFile();
    }

    /** The id of Millrace's job; null if it was not submitted. */
    public @Nullable String jobId() {
        return state.job();
    }

    /** Millrace's job, which runs. */
    public RunningJob job() {
        return RunningJob.connect(restUri(), null);
    }

    /**
     * Submits Millrace's job by Flink's client and waits until all of its tasks run.
     *
     * @param savepoint where to go on from; null is a new job
     * @param arguments of the job over the cluster's settings, such as {@code -Dmillrace.decode.parallelism=1}
     */
    public void submit(@Nullable String savepoint, List<String> arguments, Consumer<String> progress)
            throws IOException, InterruptedException {
        state = new ClusterStart(folder, distribution, state, progress).submit(savepoint, arguments);
    }

    /** Waits until TaskManagers are registered and every task of the job runs. */
    public void awaitRunning() throws IOException, InterruptedException {
        new ClusterStart(folder, distribution, state, line -> {}).awaitJob();
    }

    /**
     * Stops everything, gateways first.
     *
     * @param savepoint whether the job ends with one, from which the next one in this folder goes on; else that goes on
     *     from its last checkpoint
     */
    public void down(boolean savepoint, Consumer<String> progress) throws IOException, InterruptedException {
        for (ClusterRole role : roles()) {
            if (role.kind() == ClusterRole.Kind.GATEWAY) {
                stop(role, progress);
            }
        }
        if (savepoint && state.job() != null) {
            stopJob(progress);
        }
        end(progress);
    }

    private void stopJob(Consumer<String> progress) throws IOException {
        progress.accept("stopping the job with a savepoint");
        try (RunningJob job = job()) {
            job.saveBlocks();
            String path = job.stop(null, SavepointFormatType.NATIVE);
            state = state.withJob(null, path);
            state.write(folder.path());
            progress.accept("  " + SavepointPath.display(path));
        } catch (ServingException e) {
            progress.accept("  it has none: " + e.getMessage());
        }
    }

    private void end(Consumer<String> progress) throws IOException, InterruptedException {
        List<ClusterRole> roles = new ArrayList<>(roles());
        Collections.reverse(roles);
        // Flink's are asked all at once, so that none waits for another; then what they rest on ends.
        for (ClusterRole role : roles) {
            if (FLINK.contains(role.kind())) {
                process(role).flatMap(each -> ProcessHandle.of(each.pid())).ifPresent(each -> {
                    progress.accept("stopping " + role.label());
                    each.destroy();
                });
            }
        }
        for (ClusterRole role : roles) {
            stop(role, FLINK.contains(role.kind()) ? line -> {} : progress);
        }
        if (Files.isDirectory(folder.path())) {
            state = state.withoutProcesses();
            state.write(folder.path());
        }
    }

    private void stop(ClusterRole role, Consumer<String> progress) throws InterruptedException {
        Optional<JavaProcess> process = process(role);
        if (process.isPresent()) {
            progress.accept("stopping " + role.label());
            process.get().stop(STOP_LIMIT);
        }
    }

    private URI uri(String port) {
        return URI.create("http://" + ClusterPorts.HOST + ":"
                + requireNonNull(state.ports().get(port), port));
    }

    /** Stops everything, without a savepoint. */
    @Override
    public void close() {
        try {
            down(false, line -> {});
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
