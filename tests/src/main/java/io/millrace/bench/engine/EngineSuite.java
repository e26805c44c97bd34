package io.millrace.bench.engine;

import io.millrace.bench.BenchReport;
import io.millrace.bench.BenchSettings;
import io.millrace.bench.BenchSuite;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Prefill, decode and cached turns of the engine, beside llama.cpp's, and what the job adds to them. */
public final class EngineSuite implements BenchSuite {
    private static final int PREFILL_TOKENS = 512;
    private static final int PROMPT_TOKENS = 32;
    private static final int BATCH = 8;
    private static final int JOB_WARM_UP_RUNS = 4;
    private static final int JOB_WARM_UP_TOKENS = 192;
    private static final int CONTEXT_TOKENS = 2000;
    private static final int INCREMENT_TOKENS = 32;

    @Override
    public String name() {
        return "engine";
    }

    @Override
    public String description() {
        return "prefill, decode and cached turns beside llama.cpp, and what the job adds";
    }

    @Override
    public BenchReport run(BenchSettings settings, Progress progress) throws Exception {
        BenchReport report = new BenchReport(name());
        report.addCommand("./millrace bench engine" + (settings.quick() ? " --quick" : "") + " --threads "
                + settings.threads() + " --model " + settings.model().getFileName());
        Sizes sizes = settings.quick() ? new Sizes(2, 48, 1, 64, 75) : new Sizes(5, 128, 3, 128, 1800);
        try (EngineRunner engine = new EngineRunner(settings.model(), settings.threads(), progress)) {
            try (Peer peer = startPeer(settings, report, progress)) {
                measureBeside(engine, peer.process(), sizes, report, progress);
            }
            measureJob(engine, settings, sizes, report, progress);
        }
        return report;
    }

    /**
     * How much is measured.
     *
     * @param runs of the short measurements, each side
     * @param tokens that are decoded in one
     * @param longRuns of those that compute 2,000 tokens
     * @param jobTokens of each stream through the job
     * @param besideSeconds when so many have passed, what is beside the peer is measured no oftener than it must be
     */
    private record Sizes(int runs, int tokens, int longRuns, int jobTokens, double besideSeconds) {}

    /** The peer, where there is one. */
    private record Peer(@Nullable LlamaCppPeer process) implements AutoCloseable {
        @Override
        public void close() {
            if (process != null) {
                process.close();
            }
        }
    }

    private static Peer startPeer(BenchSettings settings, BenchReport report, Progress progress)
            throws InterruptedException {
        try {
            Path modules = new NodePackages(settings.cache(), progress).install();
            Path script = settings.root().resolve("tests/bench/llama-cpp-peer.mjs");
            progress.say("starting llama.cpp");
            LlamaCppPeer peer = LlamaCppPeer.start(script, modules, settings.model(), settings.threads());
            report.addCommand("node tests/bench/llama-cpp-peer.mjs (node-llama-cpp " + NodePackages.VERSION
                    + ", prebuilt) with " + settings.threads() + " threads");
            return new Peer(peer);
        } catch (IOException e) {
            String note = "llama.cpp was not measured: " + e.getMessage();
            report.addNote(note);
            progress.say(note);
            return new Peer(null);
        }
    }

    private static void measureBeside(
            EngineRunner engine, @Nullable LlamaCppPeer peer, Sizes sizes, BenchReport report, Progress progress)
            throws Exception {
        Alternation alternation = new Alternation(peer, progress, sizes.besideSeconds());
        Figure prefill = alternation.measure(
                "prefill of " + PREFILL_TOKENS + " tokens",
                "tokens/s",
                sizes.runs(),
                run -> PREFILL_TOKENS / engine.prefillSeconds(TokenPrompts.prompt(run, PREFILL_TOKENS)),
                (other, run) -> PREFILL_TOKENS / other.prefillSeconds(TokenPrompts.prompt(run, PREFILL_TOKENS)));
        report.addFigure("prefill_512_tokens_per_second", prefill);
        Figure decode = decode(alternation, engine, sizes, 1);
        report.addFigure("decode_batch_1_tokens_per_second", decode);
        Figure batch = decode(alternation, engine, sizes, BATCH);
        report.addFigure("decode_batch_8_tokens_per_second", batch);
        report.addRatio("decode_vs_llama_cpp", decode.overPeer());
        report.addRatio("prefill_vs_llama_cpp", prefill.overPeer());
        report.addRatio("batch8_vs_llama_cpp", batch.overPeer());
        if (peer != null && !alternation.hasTime()) {
            report.addNote("The machine was too busy to run llama.cpp's second turns in the time of --quick.");
            measureFollowUps(engine, null, sizes, report, progress);
        } else {
            measureFollowUps(engine, peer, sizes, report, progress);
        }
    }

    private static Figure decode(Alternation alternation, EngineRunner engine, Sizes sizes, int batch)
            throws Exception {
        List<int[]> prompts = TokenPrompts.prompts(batch, PROMPT_TOKENS);
        return alternation.measure(
                "decode at batch " + batch,
                "tokens/s",
                sizes.runs(),
                run -> engine.decodeTokensPerSecond(prompts, sizes.tokens()),
                (other, run) -> other.decodeTokensPerSecond(prompts, sizes.tokens()));
    }

    private static void measureFollowUps(
            EngineRunner engine, @Nullable LlamaCppPeer peer, Sizes sizes, BenchReport report, Progress progress)
            throws Exception {
        List<FollowUp> ours = new ArrayList<>();
        List<FollowUp> others = new ArrayList<>();
        for (int run = 0; run < sizes.longRuns(); run++) {
            int[] context = TokenPrompts.prompt(100 + run, CONTEXT_TOKENS);
            int[] increment = TokenPrompts.prompt(200 + run, INCREMENT_TOKENS);
            ours.add(engine.followUp(context, increment));
            progress.say(line("second turn of %d + %d tokens, run %d", CONTEXT_TOKENS, INCREMENT_TOKENS, run + 1)
                    + line(": cached %.1f ms", ours.get(run).cachedSeconds() * 1e3)
                    + line(", uncached %.1f ms", ours.get(run).uncachedSeconds() * 1e3));
            if (peer != null) {
                others.add(peer.followUp(context, increment));
                progress.say(line("  llama.cpp: cached %.1f ms", others.get(run).cachedSeconds() * 1e3)
                        + line(", uncached %.1f ms", others.get(run).uncachedSeconds() * 1e3));
            }
        }
        Figure cached = new Figure(
                "ms",
                ours.stream().map(turn -> turn.cachedSeconds() * 1e3).toList(),
                others.stream().map(turn -> turn.cachedSeconds() * 1e3).toList());
        Figure uncached = new Figure(
                "ms",
                ours.stream().map(turn -> turn.uncachedSeconds() * 1e3).toList(),
                others.stream().map(turn -> turn.uncachedSeconds() * 1e3).toList());
        report.addFigure("ttft_2000_cached_ms", cached);
        report.addFigure("ttft_2000_uncached_ms", uncached);
        report.addRatio("ttft_cached_over_uncached", cached.value() / uncached.value());
    }

    private static void measureJob(
            EngineRunner engine, BenchSettings settings, Sizes sizes, BenchReport report, Progress progress)
            throws Exception {
        try (JobRunner job = new JobRunner(settings.model(), settings.threads(), progress)) {
            // The first turns compile what the warm-up could not know of, the way of a token to its client above all.
            for (int run = 0; run < JOB_WARM_UP_RUNS; run++) {
                job.run(BATCH, JOB_WARM_UP_TOKENS);
            }
            double ratio = compareJob(engine, job, BATCH, sizes, report, progress);
            double single = compareJob(engine, job, 1, sizes, report, progress);
            report.addFigure("job_over_engine_batch_1", Figure.of("ratio", single));
            report.addRatio("job_over_engine", ratio);
        }
    }

    private static double compareJob(
            EngineRunner engine, JobRunner job, int streams, Sizes sizes, BenchReport report, Progress progress)
            throws Exception {
        List<Double> jobRates = new ArrayList<>();
        List<Double> engineRates = new ArrayList<>();
        List<double[]> added = new ArrayList<>();
        for (int run = 0; run < sizes.runs(); run++) {
            JobRunner.Run result = job.run(streams, sizes.jobTokens());
            jobRates.add(result.tokensPerSecond());
            added.add(result.addedMs());
            List<int[]> prompts = new ArrayList<>();
            for (int promptTokens : result.promptTokens()) {
                prompts.add(TokenPrompts.prompt(300 + prompts.size(), promptTokens));
            }
            engineRates.add(engine.endToEndTokensPerSecond(prompts, sizes.jobTokens()));
            progress.say(line("%d streams through the job, run %d: %.1f tokens/s", streams, run + 1, jobRates.get(run))
                    + line(", the engine alone %.1f", engineRates.get(run)));
        }
        report.addFigure("job_batch_" + streams + "_tokens_per_second", new Figure("tokens/s", jobRates, List.of()));
        report.addFigure(
                "engine_batch_" + streams + "_tokens_per_second", new Figure("tokens/s", engineRates, List.of()));
        double[] addedMs = added.stream().flatMapToDouble(Arrays::stream).toArray();
        if (addedMs.length > 0) {
            report.addFigure(
                    "added_latency_batch_" + streams + "_p50_ms", Figure.of("ms", Figure.percentile(addedMs, 0.5)));
            report.addFigure(
                    "added_latency_batch_" + streams + "_p99_ms", Figure.of("ms", Figure.percentile(addedMs, 0.99)));
        }
        if (streams == BATCH) {
            report.addExtra("added_latency_p99_ms", addedMs.length > 0 ? Figure.percentile(addedMs, 0.99) : Double.NaN);
        }
        return Figure.median(jobRates) / Figure.median(engineRates);
    }

    private static String line(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
