package io.millrace.job.cli;

import java.io.PrintStream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code ./millrace cluster}: Kafka, Flink and gateways as processes of this machine. */
@Command(
        name = "cluster",
        mixinStandardHelpOptions = true,
        description = "A Kafka broker, a Flink cluster and gateways as real processes of this machine.")
final class ClusterCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec command;

    /** The command with what it can do. */
    static CommandLine commandLine(PrintStream out) {
        return new CommandLine(new ClusterCommand())
                .addSubcommand(new ClusterUpCommand(out))
                .addSubcommand(new ClusterDownCommand(out))
                .addSubcommand(new ClusterStatusCommand(out));
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(command.commandLine(), "up, down or status is wanted");
    }
}
