package io.millrace.job.cli;

import io.millrace.job.client.RunningJob;
import io.millrace.job.client.SavepointPath;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./millrace stop --savepoint}: ends a job with a savepoint. Prints its folder, alone, on standard output. */
@Command(
        name = "stop",
        mixinStandardHelpOptions = true,
        description = "Ends a running job with a savepoint, which has its unfinished turns and every session's blocks,"
                + " and prints its folder.")
final class StopCommand implements Callable<Integer> {
    private final PrintStream out;
    private final PrintStream err;

    @Mixin
    private final ClusterOptions cluster = new ClusterOptions();

    @Mixin
    private final SavepointOptions options = new SavepointOptions();

    @Option(
            names = "--savepoint",
            required = true,
            arity = "0..1",
            fallbackValue = "",
            paramLabel = "DIR",
            description = "Where to make the savepoint; without DIR where the job's configuration says.")
    private @Nullable String directory;

    StopCommand(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    @Override
    public Integer call() throws Exception {
        String target = directory == null || directory.isEmpty() ? null : SavepointPath.absolute(directory);
        try (RunningJob job = cluster.connect(System.getenv())) {
            SavepointOptions.saveBlocks(job, err);
            err.println("· stopping job " + job.jobId() + " with a savepoint");
            String savepoint = SavepointPath.display(job.stop(target, options.format()));
            err.println("· stopped; " + SavepointOptions.hint(savepoint));
            out.println(savepoint);
        }
        return 0;
    }
}
