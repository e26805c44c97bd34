package io.millrace.job.cli;

import io.millrace.job.client.RunningJob;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ./millrace rescale}: another parallelism for a job that runs on, by Flink's resource requirements. */
@Command(
        name = "rescale",
        mixinStandardHelpOptions = true,
        description = "Rescales a running job while its sessions are live. Needs Flink's adaptive scheduler.")
final class RescaleCommand implements Callable<Integer> {
    private final PrintStream err;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec command;

    @Mixin
    private final ClusterOptions cluster = new ClusterOptions();

    @Option(names = "--parallelism", required = true, paramLabel = "N", description = "Subtasks of each operator.")
    private int parallelism;

    @Option(
            names = "--wait",
            paramLabel = "SECONDS",
            defaultValue = "120",
            description = "How long to wait until the job runs with it; 0 does not wait. By default ${DEFAULT-VALUE}.")
    private long waitSeconds;

    RescaleCommand(PrintStream err) {
        this.err = err;
    }

    @Override
    public Integer call() throws Exception {
        if (parallelism < 1) {
            throw new ParameterException(command.commandLine(), "--parallelism must be at least 1: " + parallelism);
        }
        try (RunningJob job = cluster.connect(System.getenv())) {
            job.rescale(parallelism);
            err.println("· job " + job.jobId() + " is to run with parallelism " + parallelism);
            if (waitSeconds <= 0) {
                return 0;
            }
            if (!job.awaitParallelism(parallelism, Duration.ofSeconds(waitSeconds))) {
                throw new ServingException(
                        ErrorCode.UNAVAILABLE,
                        "it does not within " + waitSeconds + " s; it will as soon as there are the slots for it");
            }
            err.println("· it does");
        }
        return 0;
    }
}
