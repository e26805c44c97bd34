package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.BenchReport;
import io.millrace.bench.BenchSettings;
import io.millrace.bench.Figure;
import io.millrace.bench.MetricsProbe;
import io.millrace.bench.Progress;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.operators.ServedModel;
import io.millrace.operators.tiers.TierMetrics;
import io.millrace.proto.ChatMessage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.flink.configuration.Configuration;

/**
 * The time to the first token of a long session's next turn: recomputed, after a restore from a savepoint into an
 * engine that holds nothing, and from the HOST tier after others took the device. Each round is a job of its own, from
 * one savepoint, with an engine of its own; the tokens must be the same everywhere.
 */
final class NextTurn {
    private static final String NAME = "next-turn";
    private static final int MANAGED_MEBIBYTES = 1024;
    // Two sessions, and some. A flush takes all blocks at a time, with about a sequence each.
    private static final int BLOCKS = 288;
    private static final int NEW_TOKENS = 32;
    private static final int OUTPUT_TOKENS = 8;
    private static final int SAVED_SESSION_TOKENS = 1;

    private final BenchSettings settings;
    private final WorkFolder work;
    private final Sizes sizes;
    private final Progress progress;
    private final Configuration configuration;
    private final MetricsProbe metrics;
    private final ServedModel model;
    private final SessionScript script;

    private final List<Double> recompute = new ArrayList<>();
    private final List<Double> savepoint = new ArrayList<>();
    private final List<Double> host = new ArrayList<>();
    private final List<Double> device = new ArrayList<>();
    private final List<Double> stateBlocks = new ArrayList<>();
    private final List<Double> hostBlocks = new ArrayList<>();
    private final List<Integer> tokens = new ArrayList<>();

    /**
     * How much is measured.
     *
     * @param contextTokens of the session
     * @param rounds jobs from the savepoint; in each one the turn is recomputed and restored once
     * @param hostRuns turns from HOST in each round
     */
    record Sizes(int contextTokens, int rounds, int hostRuns) {}

    NextTurn(BenchSettings settings, WorkFolder work, Sizes sizes, Progress progress) throws Exception {
        this.settings = requireNonNull(settings, "settings");
        this.work = requireNonNull(work, "work");
        this.sizes = requireNonNull(sizes, "sizes");
        this.progress = requireNonNull(progress, "progress");
        configuration = JobSettings.serving(settings, work, NAME, MANAGED_MEBIBYTES);
        configuration.set(MillraceOptions.BLOCK_COUNT, BLOCKS);
        configuration.set(MillraceOptions.MAX_BATCH_SEQUENCES, BLOCKS);
        configuration.set(MillraceOptions.ENGINE_LINGER, Duration.ZERO);
        metrics = MetricsProbe.install(configuration, NAME);
        model = MillraceJob.servedModel(configuration);
        script = SessionScript.write(model.open(), sizes.contextTokens(), NEW_TOKENS);
    }

    void measure(BenchReport report) throws Exception {
        String saved = save(report);
        // The first round loads classes and compiles; it does not count.
        for (int round = 0; round <= sizes.rounds(); round++) {
            round(saved, round);
        }
        report.addFigure("ttft_recompute_ms", new Figure("ms", recompute, List.of()));
        report.addFigure("ttft_savepoint_ms", new Figure("ms", savepoint, List.of()));
        report.addFigure("ttft_host_ms", new Figure("ms", host, List.of()));
        report.addFigure("ttft_device_ms", new Figure("ms", device, List.of()));
        report.addFigure("savepoint_blocks_from_state", new Figure("blocks", stateBlocks, List.of()));
        report.addFigure("host_blocks_from_host", new Figure("blocks", hostBlocks, List.of()));
        report.addFigure("ttft_context_tokens", Figure.of("tokens", sizes.contextTokens()));
        report.addFigure("ttft_new_tokens", Figure.of("tokens", NEW_TOKENS));
        double recomputed = Figure.median(recompute);
        report.addRatio("ttft_savepoint_over_recompute", Figure.median(savepoint) / recomputed);
        report.addRatio("ttft_host_over_recompute", Figure.median(host) / recomputed);
    }

    /** Runs the session's first turn and stops the job with a savepoint. */
    private String save(BenchReport report) throws Exception {
        try (JobCluster job = JobCluster.start(configuration, model)) {
            ask(job, "saved", "first", "", script.first(), SAVED_SESSION_TOKENS).close();
            SavedBlocks.save(job);
            long begin = System.nanoTime();
            Path folder = work.folder("savepoints");
            String path = job.stopWithSavepoint(folder);
            double ms = (System.nanoTime() - begin) / 1e6;
            double megabytes = WorkFolder.bytesBelow(folder) / 1e6;
            report.addFigure("savepoint_stop_ms", Figure.of("ms", ms));
            report.addFigure("savepoint_mb", Figure.of("MB", megabytes));
            progress.say(String.format(
                    Locale.ROOT,
                    "stopped a session of %d tokens with a savepoint: %.0f ms, %.0f MB",
                    sizes.contextTokens(),
                    ms,
                    megabytes));
            return path;
        }
    }

    private void round(String saved, int round) throws Exception {
        boolean counts = round > 0;
        String salt = "round-" + round;
        try (JobCluster job = JobCluster.resume(configuration, model, saved);
                DeviceFlush flush = new DeviceFlush(model)) {
            // At once after the restore: later, Decode would have brought the session's blocks ahead into HOST.
            double restored = next(job, "saved", "restored", "", sizes.contextTokens());
            double fromState = metrics.value("Decode", TierMetrics.PROMOTED_FROM_STATE);
            double recomputed = next(job, "session-" + round, "recomputed", salt, 0);
            SavedBlocks.save(job);
            double hostBefore = metrics.value("Decode", TierMetrics.PROMOTED_FROM_HOST);
            List<Double> fromHost = new ArrayList<>();
            List<Double> fromDevice = new ArrayList<>();
            for (int run = 0; run < (counts ? sizes.hostRuns() : 1); run++) {
                flush.flush(script.nextPrompt(), salt);
                fromHost.add(next(job, "session-" + round, "host-" + run, salt, sizes.contextTokens()));
                fromDevice.add(next(job, "session-" + round, "device-" + run, salt, sizes.contextTokens()));
            }
            double fromHostBlocks =
                    (metrics.value("Decode", TierMetrics.PROMOTED_FROM_HOST) - hostBefore) / fromHost.size();
            progress.say(String.format(
                    Locale.ROOT,
                    "next turn, round %d: recomputed %.0f ms, from the savepoint %.0f ms, from HOST %.0f ms, with all"
                            + " on the device %.0f ms",
                    round,
                    recomputed,
                    restored,
                    Figure.median(fromHost),
                    Figure.median(fromDevice)));
            if (counts) {
                recompute.add(recomputed);
                savepoint.add(restored);
                stateBlocks.add(fromState);
                hostBlocks.add(fromHostBlocks);
                host.addAll(fromHost);
                device.addAll(fromDevice);
            }
        }
    }

    /** Asks for the next turn; returns milliseconds to its first token. */
    private double next(JobCluster job, String session, String request, String salt, int cachedTokens)
            throws Exception {
        try (ObservedTurn turn = ask(job, session, request, salt, script.next(), OUTPUT_TOKENS)) {
            if (turn.cachedTokens() != cachedTokens) {
                throw new IllegalStateException("turn " + request + " of " + session + " found " + turn.cachedTokens()
                        + " prompt tokens that needed no computing, and not " + cachedTokens);
            }
            if (tokens.isEmpty()) {
                tokens.addAll(turn.tokens());
            }
            if (!tokens.equals(turn.tokens())) {
                throw new IllegalStateException(
                        "turn " + request + " of " + session + " has tokens " + turn.tokens() + " and not " + tokens);
            }
            return turn.ttftMs();
        }
    }

    private static ObservedTurn ask(
            JobCluster job, String session, String request, String salt, List<ChatMessage> messages, int tokens)
            throws InterruptedException {
        return ObservedTurn.send(job.port(), Requests.turn(session, request, salt, messages, tokens))
                .await();
    }
}
