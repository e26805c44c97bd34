package io.millrace.bench;

import io.millrace.bench.cluster.ClusterSuite;
import io.millrace.bench.cuda.CudaSuite;
import io.millrace.bench.durability.DurabilitySuite;
import io.millrace.bench.engine.EngineSuite;
import io.millrace.bench.soak.SoakSuite;
import io.millrace.bench.speculation.SpeculationSuite;
import io.millrace.job.cli.ModelFetcher;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ./millrace bench SUITE}. */
@Command(
        name = "millrace bench",
        mixinStandardHelpOptions = true,
        description = "Measures, prints a table, and writes Markdown below bench-results/.")
public final class BenchCommand implements Callable<Integer> {
    private static final List<BenchSuite> SUITES = List.of(
            new EngineSuite(),
            new DurabilitySuite(),
            new SoakSuite(),
            new ClusterSuite(),
            new SpeculationSuite(),
            new CudaSuite());

    private final PrintStream out;

    @Parameters(index = "0", arity = "0..1", paramLabel = "SUITE", description = "Without it, the suites are listed.")
    private @Nullable String suiteName;

    @Option(names = "--quick", description = "At most three minutes: fewer and shorter runs.")
    private boolean quick;

    @Option(names = "--json", paramLabel = "FILE", description = "Write JSON too.")
    private @Nullable Path json;

    @Option(names = "--model", paramLabel = "FILE", description = "A GGUF file; by default the demo's model.")
    private @Nullable Path model;

    @Option(names = "--threads", paramLabel = "N", description = "Compute threads of both sides (default: 2).")
    private int threads = 2;

    @Option(
            names = "--only",
            paramLabel = "PART",
            split = ",",
            description = "Parts of the suite to run, where it has parts; without it, all.")
    private List<String> only = List.of();

    private BenchCommand(PrintStream out) {
        this.out = out;
    }

    /** Runs a suite and exits with 0, or with 1 or 2 if it could not be run. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new BenchCommand(System.out)).execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        if (suiteName == null) {
            SUITES.forEach(suite -> out.printf("%-11s %s%n", suite.name(), suite.description()));
            return 0;
        }
        for (BenchSuite suite : SUITES) {
            if (suite.name().equals(suiteName)) {
                return run(suite);
            }
        }
        out.println("millrace: there is no suite " + suiteName + "; `./millrace bench` lists them");
        return 2;
    }

    private int run(BenchSuite suite) throws Exception {
        Progress progress = new Progress(out, System::nanoTime);
        Path cache = Objects.requireNonNull(
                ModelFetcher.modelDirectory(System.getenv()).getParent(), "the cache's folder");
        Path file = model != null
                ? model
                : ModelFetcher.standard(System.getenv(), progress::say).fetchFirst(ModelFetcher.DEMO_MODELS);
        Path root = Path.of(System.getProperty("millrace.root", "")).toAbsolutePath();
        BenchReport report = suite.run(new BenchSettings(file, threads, quick, only, root, cache), progress);
        report.addExtra("elapsed_seconds", progress.elapsedSeconds());
        out.println();
        out.println(report.markdown());
        write(root.resolve("bench-results").resolve(suite.name() + ".md"), report.markdown(), progress);
        if (json != null) {
            write(json, report.json(), progress);
        }
        return 0;
    }

    private static void write(Path file, String text, Progress progress) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        Files.writeString(file, text);
        progress.say("wrote " + file);
    }
}
