package io.millrace.job.cli;

import io.millrace.job.client.SavepointPath;
import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.Distribution;
import io.millrace.job.cluster.FlinkClient;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./millrace submit}: the job, by Flink's own client, to a cluster that has Millrace's jar in its lib/. */
@Command(
        name = "submit",
        mixinStandardHelpOptions = true,
        description = "Submits Millrace's job with Flink's client to a cluster of your own, or with --folder to one of"
                + " ./millrace cluster up. The cluster's lib/ must have Millrace's jar.")
final class SubmitCommand implements Callable<Integer> {
    private final PrintStream out;

    @Option(
            names = "--jobmanager",
            paramLabel = "HOST:PORT",
            description = "Flink's REST interface; by default that of the cluster which runs on this machine.")
    private @Nullable String jobManager;

    @Option(
            names = "--from",
            paramLabel = "PATH",
            description = "A savepoint or retained checkpoint to go on from, or a folder of them.")
    private @Nullable String from;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "YAML of the job's settings; by default those of the cluster on this machine, or"
                    + " jobs-config/session-cluster.yaml with --jobmanager.")
    private @Nullable Path config;

    @Option(
            names = "-D",
            paramLabel = "KEY=VALUE",
            description = "Sets an option over the configuration file; see docs/configuration.md.")
    private final Map<String, String> settings = new LinkedHashMap<>();

    @Option(
            names = "--folder",
            paramLabel = "DIR",
            description = "The cluster on this machine (default: $MILLRACE_HOME/cluster).")
    private @Nullable Path folder;

    SubmitCommand(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        String savepoint = from == null ? null : SavepointPath.find(from);
        List<String> arguments = new ArrayList<>();
        settings.forEach((key, value) -> arguments.add("-D" + key + "=" + value));
        if (jobManager == null) {
            submitHere(savepoint, arguments);
        } else {
            submitThere(jobManager, savepoint, arguments);
        }
        out.flush();
        return 0;
    }

    private void submitHere(@Nullable String savepoint, List<String> arguments)
            throws IOException, InterruptedException {
        Path path = folder == null
                ? MillraceHome.of(System.getenv()).cluster()
                : folder.toAbsolutePath().normalize();
        ClusterProcesses cluster = ClusterProcesses.find(path, Distribution.ofLauncher());
        if (cluster == null) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    "there is no cluster in " + path + "; name one of your own with --jobmanager HOST:PORT");
        }
        if (config != null) {
            arguments.addAll(0, List.of("--config", config.toAbsolutePath().toString()));
        }
        cluster.submit(savepoint, arguments, line -> out.println("· " + line));
        out.println("millrace: job " + cluster.jobId() + " runs; Flink's web interface: " + cluster.restUri());
    }

    private void submitThere(String address, @Nullable String savepoint, List<String> arguments)
            throws IOException, InterruptedException {
        Distribution distribution = Distribution.ofLauncher();
        Path file = config == null ? distribution.conf("session-cluster.yaml") : config.toAbsolutePath();
        arguments.addAll(0, List.of("--config", file.toString()));
        Path work = Files.createTempDirectory("millrace-submit-");
        Files.copy(distribution.conf("session-cluster.yaml"), work.resolve("config.yaml"));
        FlinkClient client = new FlinkClient(distribution, work, work.resolve("client.log"));
        out.println("millrace: submitted job " + client.run(address, savepoint, arguments) + " to " + address);
        out.println("millrace: ./millrace sessions --url http://" + address + " lists its sessions");
    }
}
