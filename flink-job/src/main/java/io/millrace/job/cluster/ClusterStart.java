package io.millrace.job.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.broker.JavaCommand;
import io.millrace.connector.kafka.broker.JavaProcess;
import io.millrace.connector.kafka.broker.JavaProcessException;
import io.millrace.connector.kafka.broker.KafkaBroker;
import io.millrace.connector.kafka.broker.KafkaBrokerOptions;
import io.millrace.connector.kafka.records.KafkaTopics;
import io.millrace.job.client.SavepointPath;
import io.millrace.job.graph.KafkaConfiguration;
import io.millrace.job.graph.KafkaOptions;
import io.millrace.job.graph.MillraceJob;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.jspecify.annotations.Nullable;

/** Brings a cluster to what its plan says: starts what does not run, and waits for it. */
final class ClusterStart {
    private static final Duration START_LIMIT = Duration.ofMinutes(3);
    private static final Duration JOB_LIMIT = Duration.ofMinutes(10);
    private static final int CONNECT_MS = 1000;
    /** Characters of a job's id that its savepoints' names have. */
    private static final int JOB_ID_CHARS = 6;

    private static final String GATEWAY = "io.millrace.job.cli.GatewayCommand";

    private final ClusterFolder folder;
    private final Distribution distribution;
    private final Consumer<String> progress;
    private final Map<String, String> settings;
    private final FlinkCommands flink;
    private ClusterState state;

    ClusterStart(ClusterFolder folder, Distribution distribution, ClusterState known, Consumer<String> progress)
            throws IOException {
        this.folder = requireNonNull(folder, "folder");
        this.distribution = requireNonNull(distribution, "distribution");
        this.progress = requireNonNull(progress, "progress");
        this.state = known.withPorts(ClusterPorts.choose(known.plan(), known.ports()));
        this.settings = ClusterSettings.of(state, distribution, folder);
        this.flink = new FlinkCommands(folder, distribution, state.plan(), settings);
    }

    /** The roles of a plan, in the order in which they are started. */
    static List<ClusterRole> roles(ClusterPlan plan) {
        List<ClusterRole> roles = new ArrayList<>();
        if (plan.kafka()) {
            roles.add(ClusterRole.KAFKA);
        }
        if (plan.highAvailability()) {
            roles.add(ClusterRole.ZOOKEEPER);
        }
        for (int i = 1; i <= plan.jobManagers(); i++) {
            roles.add(ClusterRole.jobManager(i));
        }
        for (int i = 1; i <= plan.taskManagers(); i++) {
            roles.add(ClusterRole.taskManager(i));
        }
        for (int i = 1; i <= plan.gateways(); i++) {
            roles.add(ClusterRole.gateway(i));
        }
        return roles;
    }

    /** Starts what does not run and waits until all is ready. */
    ClusterState run() throws IOException, InterruptedException {
        folder.write(settings, distribution.conf("log4j2-cluster.properties"));
        startAll(Set.of(ClusterRole.Kind.ZOOKEEPER));
        if (state.plan().highAvailability()) {
            // A JobManager that does not find it for a while gives up.
            process(ClusterRole.ZOOKEEPER).awaitReady(this::zookeeperServes, START_LIMIT);
        }
        startAll(Set.of(ClusterRole.Kind.JOBMANAGER, ClusterRole.Kind.TASKMANAGER));
        startAll(Set.of(ClusterRole.Kind.KAFKA));
        if (state.plan().kafka()) {
            Configuration kafka = Configuration.fromMap(settings);
            kafka.set(KafkaOptions.BOOTSTRAP_SERVERS, state.bootstrapServers());
            KafkaTopics.ensure(KafkaConfiguration.settings(kafka), KafkaConfiguration.topicLayout(kafka));
        }
        startAll(Set.of(ClusterRole.Kind.GATEWAY));
        awaitFlink();
        if (state.plan().job()) {
            ensureJob();
        }
        for (ClusterRole role : roles(state.plan())) {
            if (role.kind() == ClusterRole.Kind.GATEWAY) {
                process(role).awaitReady(() -> rest().isOk(gatewayReady(role)), START_LIMIT);
            }
        }
        return state;
    }

    private void startAll(Set<ClusterRole.Kind> kinds) throws IOException, InterruptedException {
        for (ClusterRole role : roles(state.plan())) {
            if (kinds.contains(role.kind()) && state.process(role).isEmpty()) {
                progress.accept("starting " + role.label());
                start(role);
            }
        }
    }

    /** Starts the process of a role, if it does not run; only a broker is waited for. */
    ClusterState start(ClusterRole role) throws IOException, InterruptedException {
        if (state.process(role).isEmpty()) {
            folder.clearTemporary(role);
            JavaProcess process = switch (role.kind()) {
                case KAFKA -> broker();
                case ZOOKEEPER -> JavaProcess.start(role.label(), zookeeper());
                case JOBMANAGER ->
                    JavaProcess.start(
                            role.label(), flink.jobManager(role, state.port(ClusterPorts.rest(role.number()))));
                case TASKMANAGER -> JavaProcess.start(role.label(), flink.taskManager(role));
                case GATEWAY -> JavaProcess.start(role.label(), gateway(role));
            };
            state = state.withProcess(role, process);
            state.write(folder.path());
        }
        return state;
    }

    private JavaProcess broker() throws IOException, InterruptedException {
        KafkaBroker broker = KafkaBroker.start(KafkaBrokerOptions.of(folder.kafka(), distribution.kafkaClassPath()));
        state = state.withBootstrapServers(broker.bootstrapServers());
        return broker.process();
    }

    private JavaCommand zookeeper() throws IOException {
        Path file = folder.conf().resolve("zoo.cfg");
        Files.write(
                file,
                List.of(
                        // The shortest time of a session is two ticks, the longest twenty.
                        "tickTime=500",
                        "dataDir=" + Files.createDirectories(folder.zookeeper()),
                        "clientPort=" + state.port(ClusterPorts.ZOOKEEPER),
                        "clientPortAddress=" + ClusterPorts.HOST,
                        "admin.enableServer=false",
                        "maxClientCnxns=60"));
        return JavaCommand.of(
                        distribution.zookeeperClassPath(),
                        "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                        folder.work(ClusterRole.ZOOKEEPER),
                        folder.log(ClusterRole.ZOOKEEPER))
                .withJvmArguments(List.of(
                        "-Xmx128m",
                        "-XX:TieredStopAtLevel=1",
                        "-Dzookeeper.jmx.log4j.disable=true",
                        "-Dlog4j.configurationFile=" + folder.loggingFile()))
                .withArguments(List.of(file.toString()));
    }

    private boolean zookeeperServes() throws IOException {
        try (Socket socket = new Socket()) {
            socket.setSoTimeout(CONNECT_MS);
            socket.connect(new InetSocketAddress(ClusterPorts.HOST, state.port(ClusterPorts.ZOOKEEPER)), CONNECT_MS);
            socket.getOutputStream().write("srvr".getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                    .startsWith("Zookeeper version");
        }
    }

    private JavaCommand gateway(ClusterRole role) {
        return JavaCommand.of(distribution.commandClassPath(), GATEWAY, folder.work(role), folder.log(role))
                .withJvmArguments(List.of("-Xmx384m", "-Dlog4j.configurationFile=" + folder.loggingFile()))
                .withArguments(List.of(
                        "--bootstrap-servers",
                        state.bootstrapServers(),
                        "--host",
                        ClusterPorts.HOST,
                        "--port",
                        Integer.toString(state.port(ClusterPorts.gateway(role.number()))),
                        "--model",
                        MillraceJob.modelName(Configuration.fromMap(settings)),
                        "--config",
                        folder.configFile().toString()));
    }

    private void awaitFlink() throws InterruptedException {
        progress.accept("waiting for Flink");
        for (int i = 1; i <= state.plan().jobManagers(); i++) {
            ClusterRest rest = rest(i);
            process(ClusterRole.jobManager(i)).awaitReady(() -> rest.taskManagers() >= 0, START_LIMIT);
        }
        int wanted = state.plan().taskManagers();
        for (int i = 1; i <= wanted; i++) {
            process(ClusterRole.taskManager(i)).awaitReady(() -> rest().taskManagers() >= wanted, START_LIMIT);
        }
    }

    // ---- the job

    private void ensureJob() throws IOException, InterruptedException {
        Set<String> running = rest().jobs().keySet();
        String known = state.job();
        if (known != null && running.contains(known)) {
            awaitJob();
        } else if (!running.isEmpty()) {
            progress.accept("a job runs already: " + String.join(", ", running));
            state = state.withJob(running.iterator().next(), null);
            state.write(folder.path());
        } else {
            submit(lastState(), List.of());
        }
    }

    /** Where a job goes on that follows one: its newest savepoint or checkpoint, whoever had it taken. */
    private @Nullable String lastState() throws IOException {
        if (state.savepoint() != null) {
            return state.savepoint();
        }
        String job = state.job();
        if (job == null) {
            return null;
        }
        List<Path> states = new ArrayList<>(children(folder.checkpoints().resolve(job), "chk-"));
        // Flink names a savepoint by the beginning of its job's id.
        states.addAll(children(folder.savepoints(), "savepoint-" + job.substring(0, JOB_ID_CHARS) + "-"));
        Path newest = null;
        FileTime newestTime = FileTime.fromMillis(0);
        for (Path one : states) {
            Path metadata = one.resolve("_metadata");
            if (Files.exists(metadata) && Files.getLastModifiedTime(metadata).compareTo(newestTime) >= 0) {
                newest = one;
                newestTime = Files.getLastModifiedTime(metadata);
            }
        }
        return newest == null ? null : newest.toUri().toString();
    }

    private static List<Path> children(Path parent, String prefix) throws IOException {
        if (!Files.isDirectory(parent)) {
            return List.of();
        }
        try (Stream<Path> children = Files.list(parent)) {
            return children.filter(child -> child.getFileName().toString().startsWith(prefix))
                    .toList();
        }
    }

    /** Submits the job and waits until it runs. */
    ClusterState submit(@Nullable String savepoint, List<String> more) throws IOException, InterruptedException {
        progress.accept(
                savepoint == null
                        ? "submitting the job"
                        : "submitting the job, from " + SavepointPath.display(savepoint));
        List<String> arguments =
                new ArrayList<>(List.of("--config", folder.configFile().toString()));
        if (state.plan().kafka()) {
            arguments.add("-D" + KafkaOptions.BOOTSTRAP_SERVERS.key() + "=" + state.bootstrapServers());
        }
        arguments.addAll(more);
        String job = new FlinkClient(distribution, folder.conf(), folder.clientLog())
                .run(null, savepoint, arguments)
                .toHexString();
        state = state.withJob(job, null);
        state.write(folder.path());
        awaitJob();
        return state;
    }

    /** Waits until all tasks of the job run: models are loaded and warmed up before. */
    void awaitJob() throws InterruptedException {
        String job = requireNonNull(state.job(), "no job was submitted");
        progress.accept("waiting for the job: it loads its model");
        ClusterRest rest = rest();
        process(leader())
                .awaitReady(
                        () -> {
                            if (!rest.jobs().containsKey(job)) {
                                throw new ServingException(
                                        ErrorCode.UNAVAILABLE,
                                        "the job failed before it was ready: " + rest.failure(job));
                            }
                            return rest.allTasksRun(job);
                        },
                        JOB_LIMIT);
    }

    // ---- what is where

    private JavaProcess process(ClusterRole role) {
        return state.process(role)
                .orElseThrow(
                        () -> new JavaProcessException(role.label() + " has ended; its log is " + folder.log(role)));
    }

    private ClusterRole leader() {
        for (int i = 1; i <= state.plan().jobManagers(); i++) {
            if (state.process(ClusterRole.jobManager(i)).isPresent()) {
                return ClusterRole.jobManager(i);
            }
        }
        return ClusterRole.jobManager(1);
    }

    private ClusterRest rest() {
        return rest(leader().number());
    }

    private ClusterRest rest(int jobManager) {
        return new ClusterRest(uri(ClusterPorts.rest(jobManager), "/"));
    }

    private URI gatewayReady(ClusterRole role) {
        return uri(ClusterPorts.gateway(role.number()), "/health/ready");
    }

    private URI uri(String port, String path) {
        return URI.create("http://" + ClusterPorts.HOST + ":" + state.port(port) + path);
    }
}
