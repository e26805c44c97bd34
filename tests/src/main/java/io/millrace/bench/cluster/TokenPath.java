package io.millrace.bench.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.BenchReport;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.bench.engine.TokenStreamClient;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * From the moment that the engine has a token to the moment that its client has it, for 32 streams at a time: through
 * Decode, Kafka and a gateway, and beside it through Decode, the port in the process and a gateway. The device is
 * simulated, and takes its own time; requests and the gateway's answers are HTTP over loopback sockets.
 */
final class TokenPath {
    /** Streams at a time. */
    static final int STREAMS = 32;

    private final Sizes sizes;
    private final Progress progress;
    private int turnNumber;

    /**
     * How much is measured.
     *
     * @param rounds that count, on each path; they take turns
     * @param tokens of a stream
     */
    record Sizes(int rounds, int tokens) {}

    /** A way from the engine to a client. */
    record Path(String name, URI gateway) {}

    TokenPath(Sizes sizes, Progress progress) {
        this.sizes = requireNonNull(sizes, "sizes");
        this.progress = requireNonNull(progress, "progress");
    }

    /** Measures the paths in turns, after a round on each that does not count. */
    void measure(Path kafka, Path inProcess, BenchReport report) throws Exception {
        List<Path> paths = List.of(kafka, inProcess);
        List<Double> medians = new ArrayList<>();
        List<Double> tails = new ArrayList<>();
        List<Double> localMedians = new ArrayList<>();
        List<Double> localTails = new ArrayList<>();
        ExecutorService streams = Executors.newFixedThreadPool(STREAMS);
        try {
            for (int round = 0; round <= sizes.rounds(); round++) {
                for (Path path : paths) {
                    double[] ms = round(path, streams);
                    double median = Figure.percentile(ms, 0.5);
                    double tail = Figure.percentile(ms, 0.99);
                    progress.say(String.format(
                            Locale.ROOT,
                            "%s, %d streams%s: p50 %.2f ms, p99 %.2f ms, most %.2f ms",
                            path.name(),
                            STREAMS,
                            round == 0 ? " (does not count)" : "",
                            median,
                            tail,
                            Figure.percentile(ms, 1)));
                    if (round > 0) {
                        (path == kafka ? medians : localMedians).add(median);
                        (path == kafka ? tails : localTails).add(tail);
                    }
                }
            }
        } finally {
            streams.shutdownNow();
        }
        report.addFigure("token_path_added_p50_ms", new Figure("ms", medians, List.of()));
        report.addFigure("token_path_added_p99_ms", new Figure("ms", tails, List.of()));
        report.addFigure("token_path_in_process_p50_ms", new Figure("ms", localMedians, List.of()));
        report.addFigure("token_path_in_process_p99_ms", new Figure("ms", localTails, List.of()));
    }

    private double[] round(Path path, ExecutorService streams)
            throws InterruptedException, ExecutionException, IOException {
        TimedModel.clear();
        List<String> names = new ArrayList<>();
        List<Callable<TokenStreamClient.Timeline>> turns = new ArrayList<>();
        for (int stream = 0; stream < STREAMS; stream++) {
            String name = "path-" + turnNumber++;
            names.add(name);
            TokenStreamClient client = new TokenStreamClient(path.gateway());
            turns.add(() -> client.run(name, "Tell me about the mill of " + name + ".", sizes.tokens()));
        }
        List<Future<TokenStreamClient.Timeline>> ended = streams.invokeAll(turns);
        double[] ms = new double[STREAMS * sizes.tokens()];
        for (int stream = 0; stream < STREAMS; stream++) {
            long[] sampled = TimedModel.nanos(names.get(stream));
            long[] received = ended.get(stream).get().receivedNanos();
            for (int offset = 0; offset < sizes.tokens(); offset++) {
                ms[stream * sizes.tokens() + offset] = (received[offset] - sampled[offset]) / 1e6;
            }
        }
        return ms;
    }
}
