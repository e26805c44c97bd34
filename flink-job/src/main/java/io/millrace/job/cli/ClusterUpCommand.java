package io.millrace.job.cli;

import io.millrace.job.cli.ModelFetcher.ModelUnavailableException;
import io.millrace.job.cluster.ClusterPlan;
import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.Distribution;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.flink.configuration.Configuration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./millrace cluster up}: starts what does not run. */
@Command(
        name = "up",
        mixinStandardHelpOptions = true,
        description = "Starts a Kafka broker, a Flink cluster with Millrace's job, and gateways, each a process of its"
                + " own, and prints where they are. Started again it replaces what has ended, and the job goes on from"
                + " its last savepoint or checkpoint.")
final class ClusterUpCommand implements Callable<Integer> {
    private final PrintStream out;

    @Mixin
    private final ClusterFolderOption cluster = new ClusterFolderOption();

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @Option(names = "--task-managers", paramLabel = "N", description = "Flink's TaskManagers (default: 2).")
    private int taskManagers = 2;

    @Option(names = "--gateways", paramLabel = "N", description = "Millrace's HTTP interfaces (default: 1).")
    private int gateways = 1;

    @Option(
            names = "--parallelism",
            paramLabel = "P",
            description = "Subtasks of each operator (default: one a slot, or half of it with --disaggregated).")
    private @Nullable Integer parallelism;

    @Option(
            names = "--task-manager-memory",
            paramLabel = "SIZE",
            description = "All memory of a TaskManager's process (default: 2 gb).")
    private @Nullable String taskManagerMemory;

    @Option(names = "--disaggregated", description = "Runs prefill and decode on TaskManagers of their own.")
    private boolean disaggregated;

    @Option(
            names = "--high-availability",
            description = "Starts ZooKeeper too, so that a JobManager that takes another's place recovers the job.")
    private boolean highAvailability;

    @Option(
            names = "--job-managers",
            paramLabel = "N",
            description = "Flink's JobManagers (default: 1); more are stand-bys, with --high-availability.")
    private int jobManagers = 1;

    @Option(names = "--no-job", description = "Submits no job: ./millrace submit does.")
    private boolean noJob;

    @Option(names = "--port", paramLabel = "N", description = "The first gateway's port (default: any free one).")
    private @Nullable Integer port;

    @Option(names = "--web-port", paramLabel = "N", description = "Flink's port (default: any free one).")
    private @Nullable Integer webPort;

    ClusterUpCommand(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        Map<String, String> environment = System.getenv();
        MillraceHome home = MillraceHome.of(environment);
        ClusterPlan plan;
        try {
            plan = plan(environment);
        } catch (ModelUnavailableException e) {
            out.println("millrace: no model can be had: " + e.getMessage());
            out.println("millrace: name any GGUF file with --model FILE.gguf");
            return 1;
        }
        ClusterProcesses running = ClusterProcesses.up(
                cluster.folder(environment), plan, Distribution.ofLauncher(), line -> out.println("· " + line));
        ClusterRecords.write(running, home);
        new ClusterReport(running, out).announce();
        return 0;
    }

    private ClusterPlan plan(Map<String, String> environment) throws ModelUnavailableException, IOException {
        Map<String, String> settings = new LinkedHashMap<>();
        if (taskManagerMemory != null) {
            settings.put("taskmanager.memory.process.size", taskManagerMemory);
        }
        if (disaggregated) {
            settings.put("millrace.disaggregation.enabled", "true");
        }
        settings.putAll(modelSettings(environment));
        if (parallelism != null) {
            for (String operator : new String[] {"source", "router", "prefill", "decode"}) {
                settings.put("millrace." + operator + ".parallelism", parallelism.toString());
            }
        }
        ClusterPlan plan =
                ClusterPlan.standard().withProcesses(taskManagers, gateways).withSettings(settings);
        if (highAvailability || jobManagers > 1) {
            plan = plan.withHighAvailability(jobManagers);
        }
        if (noJob) {
            plan = plan.withoutJob();
        }
        if (port != null) {
            for (int i = 0; i < gateways; i++) {
                plan = plan.withPort("gateway-" + (i + 1), port + i);
            }
        }
        return webPort == null ? plan : plan.withPort("rest-1", webPort);
    }

    private Map<String, String> modelSettings(Map<String, String> environment)
            throws ModelUnavailableException, IOException {
        Path file = model.model();
        if (file == null && !model.configuresModel()) {
            file = ModelFetcher.standard(environment, line -> out.println("· " + line))
                    .fetchFirst(ModelFetcher.DEMO_MODELS);
        }
        Configuration configuration = model.given();
        model.addModel(configuration, file);
        return configuration.toMap();
    }
}
