package io.millrace.job.cli;

import io.millrace.job.cluster.ClusterProcesses;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code ./millrace cluster status}: what of a cluster runs. Ends with 1 if not all of it does. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = "Prints the cluster's processes and where they are. The exit code is 0 if all of them run.")
final class ClusterStatusCommand implements Callable<Integer> {
    private final PrintStream out;

    @Mixin
    private final ClusterFolderOption cluster = new ClusterFolderOption();

    ClusterStatusCommand(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() {
        ClusterProcesses running = cluster.find(System.getenv());
        return new ClusterReport(running, out).status() ? 0 : 1;
    }
}
