package io.millrace.job.cli;

import io.millrace.job.client.RunningJob;
import io.millrace.kv.ServingException;
import io.millrace.proto.SaveBlocksResult;
import java.io.PrintStream;
import java.util.Locale;
import org.apache.flink.core.execution.SavepointFormatType;
import picocli.CommandLine.Option;

/** What commands that make a savepoint have in common. */
final class SavepointOptions {
    private static final double MEBIBYTE = 1 << 20;

    /** Flink's formats by the names that people write. */
    enum Format {
        /** As the state backend has it: fast, and blocks stay in their files. */
        NATIVE(SavepointFormatType.NATIVE),
        /** One for all state backends. */
        CANONICAL(SavepointFormatType.CANONICAL);

        private final SavepointFormatType type;

        Format(SavepointFormatType type) {
            this.type = type;
        }
    }

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "native, the state backend's own, which is fast (default); or canonical, which fits every"
                    + " state backend.")
    private Format format = Format.NATIVE;

    /** The format to ask Flink for. */
    SavepointFormatType format() {
        return format.type;
    }

    /** Saves blocks before a savepoint. Without them the savepoint is whole too: they would be computed again. */
    static void saveBlocks(RunningJob job, PrintStream progress) {
        try {
            SaveBlocksResult saved = job.saveBlocks();
            progress.printf(
                    Locale.ROOT,
                    "· saved %d blocks (%.1f MiB) of %d sessions%s%n",
                    saved.getBlocks(),
                    saved.getBytes() / MEBIBYTE,
                    saved.getSessions(),
                    saved.getSkippedBlocks() == 0
                            ? ""
                            : "; " + saved.getSkippedBlocks() + " found no room and will be computed again");
        } catch (ServingException e) {
            progress.println("· blocks that are not saved yet will be computed again: " + e.getMessage());
        }
    }

    /** How the savepoint is used, for people. */
    static String hint(String savepoint) {
        return "resume it with: ./millrace resume --from " + savepoint
                + ", or on a cluster with ./millrace submit --from";
    }
}
