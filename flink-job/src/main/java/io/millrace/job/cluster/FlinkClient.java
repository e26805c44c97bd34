package io.millrace.job.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.broker.JavaCommand;
import io.millrace.connector.kafka.broker.JavaProcess;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.api.common.JobID;
import org.jspecify.annotations.Nullable;

/** Flink's own client, {@code flink run}, as a process. */
public final class FlinkClient {
    private static final String MAIN_CLASS = "org.apache.flink.client.cli.CliFrontend";
    private static final Pattern SUBMITTED = Pattern.compile("Job has been submitted with JobID ([0-9a-f]{32})");
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final int REASON_CHARS_MAX = 2000;

    private final Distribution distribution;
    private final Path confFolder;
    private final Path logFile;

    /**
     * Prepares a client.
     *
     * @param confFolder has the {@code config.yaml} that says where the cluster is
     * @param logFile gets what it prints
     */
    public FlinkClient(Distribution distribution, Path confFolder, Path logFile) {
        this.distribution = requireNonNull(distribution, "distribution");
        this.confFolder = requireNonNull(confFolder, "confFolder").toAbsolutePath();
        this.logFile = requireNonNull(logFile, "logFile").toAbsolutePath();
    }

    /**
     * Submits Millrace's job and does not wait for it to run.
     *
     * @param jobManager the REST interface as {@code host:port}; null is what the settings say
     * @param savepoint where to go on from; null is a new job
     * @param jobArguments of {@code MillraceJobMain}
     * @throws ServingException {@code UNAVAILABLE} with what the client said, if it was not taken
     */
    public JobID run(@Nullable String jobManager, @Nullable String savepoint, List<String> jobArguments)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("run", "--detached"));
        if (jobManager != null) {
            arguments.addAll(List.of("--jobmanager", jobManager));
        }
        if (savepoint != null) {
            arguments.addAll(List.of("--fromSavepoint", savepoint));
        }
        arguments.add(distribution.jobJar().toString());
        arguments.addAll(jobArguments);
        JavaCommand command = new JavaCommand(
                distribution.flinkClassPath(),
                MAIN_CLASS,
                List.of(
                        "-Xmx512m",
                        "-XX:TieredStopAtLevel=1",
                        // What builds the job's graph looks into the JDK's collections.
                        "--add-opens=java.base/java.util=ALL-UNNAMED",
                        "--add-opens=java.base/java.lang=ALL-UNNAMED",
                        "--add-modules=jdk.incubator.vector",
                        "-Dmillrace.log.level=warn",
                        "-Dlog4j.configurationFile=" + distribution.conf("log4j2-cluster.properties")),
                arguments,
                Map.of("FLINK_CONF_DIR", confFolder.toString()),
                confFolder,
                logFile);
        try (JavaProcess client = JavaProcess.start("flink run", command)) {
            client.awaitEnd(LIMIT);
            Matcher submitted = SUBMITTED.matcher(client.log());
            if (!submitted.find()) {
                throw new ServingException(ErrorCode.UNAVAILABLE, "the job was not submitted: " + reason(client.log()));
            }
            return JobID.fromHexString(submitted.group(1));
        }
    }

    /** The last cause of the trace that it printed, or the end of what it printed. */
    private static String reason(String log) {
        String text = log.strip();
        int cause = text.lastIndexOf("Caused by: ");
        if (cause >= 0) {
            String rest = text.substring(cause + "Caused by: ".length());
            int trace = rest.indexOf("\n\tat ");
            return trace >= 0 ? rest.substring(0, trace) : rest;
        }
        return text.substring(Math.max(0, text.length() - REASON_CHARS_MAX));
    }
}
