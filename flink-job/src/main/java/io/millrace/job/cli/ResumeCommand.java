package io.millrace.job.cli;

import io.millrace.job.client.SavepointPath;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./millrace resume --from}: {@code serve}, with the sessions and unfinished turns of a job before it. */
@Command(
        name = "resume",
        mixinStandardHelpOptions = true,
        description = "Serves as ./millrace serve does, and goes on where a savepoint or a retained checkpoint ended:"
                + " its unfinished turns at their next token, its sessions with their blocks. The model must be the"
                + " same.")
final class ResumeCommand implements Callable<Integer> {
    private final PrintStream out;

    @Option(
            names = "--from",
            required = true,
            paramLabel = "PATH",
            description = "A savepoint or retained checkpoint, or a folder of them, of which the newest is taken.")
    private String from = "";

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @Mixin
    private final ServeOptions options = new ServeOptions();

    ResumeCommand(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        String savepoint = SavepointPath.find(from);
        out.println("· resuming from " + SavepointPath.display(savepoint));
        return new Serving(out, model, options, System.getenv()).serve(savepoint);
    }
}
