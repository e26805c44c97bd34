package io.millrace.job.cli;

import io.millrace.job.client.RunningJob;
import io.millrace.job.client.SavepointPath;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code ./millrace savepoint}: a savepoint of a job that runs on. Prints its folder, alone, on standard output. */
@Command(
        name = "savepoint",
        mixinStandardHelpOptions = true,
        description = "Makes a savepoint of a running job, with every session's blocks, and prints its folder.")
final class SavepointCommand implements Callable<Integer> {
    private final PrintStream out;
    private final PrintStream err;

    @Mixin
    private final ClusterOptions cluster = new ClusterOptions();

    @Mixin
    private final SavepointOptions options = new SavepointOptions();

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "DIR",
            description = "Where to make it; by default where the job's configuration says.")
    private @Nullable String directory;

    SavepointCommand(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    @Override
    public Integer call() throws Exception {
        String target = directory == null ? null : SavepointPath.absolute(directory);
        try (RunningJob job = cluster.connect(System.getenv())) {
            SavepointOptions.saveBlocks(job, err);
            err.println("· making a savepoint of job " + job.jobId());
            String savepoint = SavepointPath.display(job.savepoint(target, options.format()));
            err.println("· " + SavepointOptions.hint(savepoint));
            out.println(savepoint);
        }
        return 0;
    }
}
