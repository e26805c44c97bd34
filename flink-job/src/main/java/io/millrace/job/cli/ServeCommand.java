package io.millrace.job.cli;

import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code ./millrace serve}: an embedded job and its gateway, until it is told to stop. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        description = "Serves a model over HTTP from an embedded Flink, until SIGINT or SIGTERM, or ./millrace stop.")
final class ServeCommand implements Callable<Integer> {
    private final PrintStream out;

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @Mixin
    private final ServeOptions options = new ServeOptions();

    ServeCommand(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        return new Serving(out, model, options, System.getenv()).serve(null);
    }
}
