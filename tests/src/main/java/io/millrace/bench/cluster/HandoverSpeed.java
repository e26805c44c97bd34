package io.millrace.bench.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.connector.port.TurnStream;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineOptions;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.kv.KvBlockLayout;
import io.millrace.operators.EngineRole;
import io.millrace.operators.handover.HandoverMetrics;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.operators.tiers.LoadPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;

/** How fast blocks go from Prefill's engine to Decode's, and how much of that time nobody waits for. */
public final class HandoverSpeed {
    /** Tokens of a prompt, about: what the issue of hiding is measured at. */
    private static final int PROMPT_TOKENS = 2000;

    private static final int TEXT_TOKENS = PROMPT_TOKENS - "user:\n".length();
    private static final String NAME = "bench-handover";
    /** A block of the demo model. */
    private static final KvBlockLayout LAYOUT = new KvBlockLayout(30, 3, 64, 32);

    private static final int ENGINE_BLOCKS = 2048;
    private static final int MAX_TURN_TOKENS = 1 << 14;
    private static final MemorySize HOST_MEMORY = MemorySize.ofMebiBytes(1024);

    private final Progress progress;

    /** Measures, saying so. */
    public HandoverSpeed(Progress progress) {
        this.progress = requireNonNull(progress, "progress");
    }

    /**
     * Block bytes a second of the hand-over between two TaskManagers of this process, over TCP, with a model that
     * computes nothing; the peer is a plain copy over loopback, before and behind each run.
     *
     * @param runs the first is not counted
     * @param prompts of {@value #PROMPT_TOKENS} tokens each, in a run
     */
    public Figure overTcp(int runs, int prompts) throws Exception {
        Configuration options = HandoverJob.options(HOST_MEMORY);
        options.set(MillraceOptions.MODEL_NAME, NAME);
        options.set(MillraceOptions.TIERS_LOAD, LoadPolicy.NEVER);
        List<Double> ours = new ArrayList<>();
        List<Double> plain = new ArrayList<>();
        int blocks = prompts * (PROMPT_TOKENS / LAYOUT.blockSizeTokens());
        try (Engine prefill = engine();
                Engine decode = engine();
                HandoverJob job = new HandoverJob(
                        options,
                        new TestingServedModel(NAME, decode, MAX_TURN_TOKENS)
                                .withRole(EngineRole.PREFILL, prefill)
                                .withRole(EngineRole.DECODE, decode))) {
            SplittableRandom random = new SplittableRandom(1);
            for (int run = 0; run <= runs; run++) {
                double before = LoopbackCopy.bytesPerSecond(blocks, LAYOUT.blockBytes());
                double rate = run(job, random, prompts);
                double after = LoopbackCopy.bytesPerSecond(blocks, LAYOUT.blockBytes());
                progress.say(String.format(
                        Locale.ROOT,
                        "hand-over %.0f MB/s, plain copies %.0f and %.0f MB/s",
                        rate / 1e6,
                        before / 1e6,
                        after / 1e6));
                if (run > 0) {
                    ours.add(rate / 1e6);
                    plain.add((before + after) / 2 / 1e6);
                }
            }
        }
        return new Figure("MB/s", ours, plain);
    }

    private static double run(HandoverJob job, SplittableRandom random, int prompts) throws Exception {
        double bytes = job.value("Decode", HandoverMetrics.RECEIVED_BYTES);
        double seconds = job.value("Decode", HandoverMetrics.RECEIVE_SECONDS);
        List<TurnStream> turns = new ArrayList<>();
        for (int i = 0; i < prompts; i++) {
            turns.add(job.ask(text(random)));
        }
        for (TurnStream turn : turns) {
            HandoverJob.await(turn);
        }
        return (job.value("Decode", HandoverMetrics.RECEIVED_BYTES) - bytes)
                / (job.value("Decode", HandoverMetrics.RECEIVE_SECONDS) - seconds);
    }

    /**
     * Share of the time of sending that passed while the prompt was computed, at {@value #PROMPT_TOKENS} tokens.
     *
     * @param model a GGUF file whose tokenizer makes about a token of each of the words here
     */
    public Figure hiddenShare(Path model, int threads, int runs) throws Exception {
        Configuration options = HandoverJob.options(HOST_MEMORY);
        options.set(MillraceOptions.MODEL_FILE, model.toString());
        options.set(MillraceOptions.BACKEND_THREADS, threads);
        options.set(MillraceOptions.KV_MEMORY, MemorySize.ofMebiBytes(512));
        options.set(MillraceOptions.ENGINE_LINGER, Duration.ZERO);
        List<Double> shares = new ArrayList<>();
        try (HandoverJob job = new HandoverJob(options, MillraceJob.servedModel(options))) {
            for (int run = 0; run < runs; run++) {
                double open = job.value("Prefill", HandoverMetrics.OPEN_SECONDS);
                double exposed = job.value("Prefill", HandoverMetrics.WAITED_SECONDS);
                HandoverJob.await(job.ask(words(run)));
                open = job.value("Prefill", HandoverMetrics.OPEN_SECONDS) - open;
                exposed = job.value("Prefill", HandoverMetrics.WAITED_SECONDS) - exposed;
                progress.say(String.format(
                        Locale.ROOT,
                        "%.0f blocks sent so far; blocks on their way for %.3f s, %.3f s of it after the prefill",
                        job.value("Prefill", HandoverMetrics.SENT_BLOCKS),
                        open,
                        exposed));
                shares.add(1 - exposed / open);
            }
        }
        return new Figure("share", shares, List.of());
    }

    private static Engine engine() {
        EngineOptions options =
                EngineOptions.of(NAME, Set.of(), MAX_TURN_TOKENS).withLimits(256, 32, 256);
        Engine engine = new Engine(options, new HandoverInstance(ENGINE_BLOCKS, LAYOUT), () -> {});
        engine.start(run -> {
            Thread thread = new Thread(run, NAME);
            thread.setDaemon(true);
            return thread;
        });
        return engine;
    }

    /** So many letters that their tokens are a prompt's. */
    private static String text(SplittableRandom random) {
        StringBuilder text = new StringBuilder(TEXT_TOKENS);
        while (text.length() < TEXT_TOKENS) {
            text.append((char) ('a' + random.nextInt(26)));
        }
        return text.toString();
    }

    /** Numbers from 0 to 9 and blanks: about a token each. */
    private static String words(int seed) {
        SplittableRandom random = new SplittableRandom(seed);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < PROMPT_TOKENS / 2 - 20; i++) {
            text.append(random.nextInt(10)).append(' ');
        }
        return text.toString();
    }
}
