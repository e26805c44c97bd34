package io.millrace.job.cli;

import java.io.PrintStream;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** What {@code ./millrace} starts: the embedded job, and what is asked of jobs and savepoints. */
@Command(name = "millrace", mixinStandardHelpOptions = true, description = "Language models for agents, inside Flink.")
public final class MillraceCommand {
    private MillraceCommand() {}

    /** Runs a command and exits with its code: 0 if all went well, 2 for a wrong command line, 1 for all else. */
    public static void main(String[] arguments) {
        // Exits even if a thread of Flink's is left.
        System.exit(commandLine(System.out, System.err).execute(arguments));
    }

    static CommandLine commandLine(PrintStream out, PrintStream err) {
        return new CommandLine(new MillraceCommand())
                .addSubcommand(new DemoCommand(out))
                .addSubcommand(new ServeCommand(out))
                .addSubcommand(new ResumeCommand(out))
                .addSubcommand(new SavepointCommand(out, err))
                .addSubcommand(new StopCommand(out, err))
                .addSubcommand(new RescaleCommand(err))
                .addSubcommand(new SessionsCommand(out))
                .addSubcommand(ClusterCommand.commandLine(out))
                .addSubcommand(new SubmitCommand(out))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(new CommandErrors(err));
    }
}
