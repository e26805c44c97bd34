package io.millrace.job.cli;

import io.millrace.job.client.RunningJob;
import io.millrace.job.client.SavedSessions;
import io.millrace.job.client.SavepointPath;
import io.millrace.job.client.SessionListing;
import io.millrace.job.client.SessionTable;
import java.io.IOException;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ./millrace sessions}: the sessions of a running job, or of a savepoint. */
@Command(
        name = "sessions",
        mixinStandardHelpOptions = true,
        description = "Lists the sessions of a running job, or with --from those of a savepoint or checkpoint: the"
                + " fastest tier that has their blocks, their tokens, their age.")
final class SessionsCommand implements Callable<Integer> {
    private static final int LIMIT_MAX = 1_000_000;

    private final PrintStream out;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec command;

    @Mixin
    private final ClusterOptions cluster = new ClusterOptions();

    @Option(names = "--from", paramLabel = "PATH", description = "A savepoint or a retained checkpoint.")
    private @Nullable String from;

    @Option(names = "--json", description = "Prints JSON.")
    private boolean json;

    @Option(names = "--limit", paramLabel = "N", description = "Lists so many at most (default: 1000).")
    private int limit = 1000;

    SessionsCommand(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        if (limit < 1 || limit > LIMIT_MAX) {
            throw new ParameterException(
                    command.commandLine(), "--limit must be from 1 to " + LIMIT_MAX + ": " + limit);
        }
        if (from == null) {
            try (RunningJob job = cluster.connect(System.getenv())) {
                String url = cluster.url(MillraceHome.of(System.getenv())).toString();
                print(job.sessions(limit), url);
            }
        } else {
            String savepoint = SavepointPath.find(from);
            print(SavedSessions.read(savepoint, limit), SavepointPath.display(savepoint));
        }
        return 0;
    }

    private void print(SessionListing listing, String source) throws IOException {
        SessionTable table = new SessionTable(listing, System.currentTimeMillis());
        if (json) {
            out.println(table.json(source).toPrettyString());
        } else {
            out.print(table.text());
        }
        out.flush();
    }
}
