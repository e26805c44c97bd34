package io.millrace.bench.engine;

import io.millrace.bench.Progress;
import io.millrace.job.cli.EmbeddedJob;
import io.millrace.job.graph.JobConfiguration;
import io.millrace.job.graph.MillraceOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.flink.configuration.Configuration;

/** The whole job, embedded, with clients that talk HTTP to its gateway. */
final class JobRunner implements AutoCloseable {
    private static final int MAX_STREAMS = 8;

    private final EmbeddedJob job;
    private final TokenStreamClient client;
    private final ExecutorService streams = Executors.newFixedThreadPool(MAX_STREAMS);
    private int turnNumber;

    /** Starts the job; returns when it is ready. */
    JobRunner(Path model, int threads, Progress progress) throws Exception {
        Configuration configuration = JobConfiguration.loadLocal();
        configuration.set(MillraceOptions.MODEL_FILE, model.toString());
        configuration.set(MillraceOptions.BACKEND, ProbedCpuBackend.NAME);
        configuration.set(MillraceOptions.BACKEND_THREADS, threads);
        configuration.set(MillraceOptions.MAX_MODEL_TOKENS, EngineRunner.MAX_MODEL_TOKENS);
        job = EmbeddedJob.start(configuration, EmbeddedJob.Addresses.FREE_PORTS, progress::say);
        client = new TokenStreamClient(job.gatewayUri());
    }

    /**
     * What a run came to.
     *
     * @param tokensPerSecond of all streams together, from the first request to the last token
     * @param promptTokens of each stream
     * @param addedMs for each token that could be followed, milliseconds from its logits to its client
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Run(double tokensPerSecond, List<Integer> promptTokens, double[] addedMs) {}

    /** Runs so many turns of so many tokens each at a time. */
    Run run(int streamCount, int tokens) throws InterruptedException, ExecutionException {
        SamplingProbe.clear();
        List<Callable<TokenStreamClient.Timeline>> turns = new ArrayList<>();
        for (int stream = 0; stream < streamCount; stream++) {
            String name = "bench-" + turnNumber++;
            // One word more for each stream: prompts of different lengths.
            String text = "Tell me about the number" + " one".repeat(8 + stream) + " please.";
            turns.add(() -> client.run(name, text, tokens));
        }
        List<TokenStreamClient.Timeline> timelines = new ArrayList<>();
        for (Future<TokenStreamClient.Timeline> turn : streams.invokeAll(turns)) {
            timelines.add(turn.get());
        }
        long begin = timelines.stream()
                .mapToLong(TokenStreamClient.Timeline::sentNanos)
                .min()
                .orElseThrow();
        long end = timelines.stream()
                .mapToLong(timeline -> timeline.receivedNanos()[tokens - 1])
                .max()
                .orElseThrow();
        return new Run(
                (double) streamCount * tokens / ((end - begin) / 1e9),
                timelines.stream().map(TokenStreamClient.Timeline::promptTokens).toList(),
                addedMs(timelines));
    }

    private static double[] addedMs(List<TokenStreamClient.Timeline> timelines) {
        List<Double> added = new ArrayList<>();
        for (TokenStreamClient.Timeline timeline : timelines) {
            long[] received = timeline.receivedNanos();
            long[] sampled = SamplingProbe.sampledNanos(timeline.promptTokens(), received.length);
            for (int index = 0; index < sampled.length; index++) {
                added.add((received[index] - sampled[index]) / 1e6);
            }
        }
        return added.stream().mapToDouble(Double::doubleValue).toArray();
    }

    @Override
    public void close() {
        streams.shutdownNow();
        job.close();
    }
}
