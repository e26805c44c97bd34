package io.millrace.job.cli;

import io.millrace.job.client.RunningJob;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of every command that asks a running job. */
final class ClusterOptions {
    private static final URI FLINK_DEFAULT = URI.create("http://localhost:8081");

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init")
    private CommandSpec command;

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "Flink's REST interface; by default that of the serve or cluster on this machine, else"
                    + " http://localhost:8081.")
    private @Nullable URI url;

    @Option(names = "--job", paramLabel = "ID", description = "The job's id; by default the only job that runs.")
    private @Nullable String job;

    /** The job. */
    RunningJob connect(Map<String, String> environment) throws IOException {
        return RunningJob.connect(url(MillraceHome.of(environment)), jobId());
    }

    /** Where it is. */
    URI url(MillraceHome home) throws IOException {
        if (url != null) {
            return url;
        }
        Map<URI, String> running = new LinkedHashMap<>();
        for (ServeRecord record : ServeRecord.all(home)) {
            if (record.isAlive()) {
                running.put(record.webUrl(), "process " + record.pid());
            }
        }
        ClusterRecords.restUris(home).forEach(uri -> running.put(uri, "a cluster"));
        if (running.size() > 1) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    "more than one serve or cluster runs on this machine; name one with --url: "
                            + running.entrySet().stream()
                                    .map(each -> each.getKey() + " (" + each.getValue() + ")")
                                    .collect(Collectors.joining(", ")));
        }
        return running.isEmpty() ? FLINK_DEFAULT : running.keySet().iterator().next();
    }

    private @Nullable JobID jobId() {
        if (job == null) {
            return null;
        }
        try {
            return JobID.fromHexString(job);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), "--job must be 32 hexadecimal digits: " + job, e);
        }
    }
}
