package io.millrace.job.cli;

import io.millrace.job.cluster.ClusterProcesses;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./millrace cluster down}: stops what {@code up} has started. */
@Command(
        name = "down",
        mixinStandardHelpOptions = true,
        description = "Stops the cluster's processes: gateways, the job with a savepoint that the next up goes on from,"
                + " Flink, Kafka.")
final class ClusterDownCommand implements Callable<Integer> {
    private final PrintStream out;

    @Mixin
    private final ClusterFolderOption cluster = new ClusterFolderOption();

    @Option(
            names = "--no-savepoint",
            description = "Makes no savepoint; the next up goes on from the job's last checkpoint.")
    private boolean noSavepoint;

    ClusterDownCommand(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        ClusterProcesses running = cluster.find(System.getenv());
        running.down(!noSavepoint, line -> out.println("· " + line));
        ClusterRecords.delete(running, MillraceHome.of(System.getenv()));
        out.println("millrace: the cluster is down; what it keeps is in " + running.folder());
        out.flush();
        return 0;
    }
}
