package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.BenchReport;
import io.millrace.bench.BenchSettings;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.runtime.checkpoint.CompletedCheckpointStats;
import org.apache.flink.runtime.checkpoint.TaskStateStats;
import org.apache.flink.runtime.util.stats.StatsSummary;

/**
 * Time between tokens with a checkpoint every second and without: 64 sessions decode beside each other, and while they
 * do, spans with checkpoints and spans without take turns.
 */
final class DecodeLatency {
    private static final int SESSIONS = 64;
    private static final int MANAGED_MEBIBYTES = 256;
    private static final int KV_MEBIBYTES = 1536;
    private static final long CHECKPOINT_MS = 1000;
    private static final long POLL_MS = 10;
    private static final int SPANS = 4;
    private static final int BLOCK_TOKENS = 32;
    /** More than are decoded in a round; what the KV blocks have room for. */
    private static final int TURN_TOKENS = 400;
    /** After checkpoints are switched off: one that began before has ended. */
    private static final long SETTLE_MS = 1000;
    /**
     * After they are switched on: the first takes all that was written in the span without, which a job that takes one
     * a second never has to.
     */
    private static final int SETTLE_CHECKPOINTS = 2;

    private static final long SETTLE_LIMIT_MS = 30_000;
    /**
     * A checkpoint a second runs its code so seldom that the JVM compiles it for many minutes, at the expense of the
     * two cores that decode. A job that lives for hours is past that.
     */
    private static final int WARM_UP_CHECKPOINTS = 400;

    /** Blocks of 64 turns that all ended are written, a checkpoint takes them, and the JVM is done compiling. */
    private static final long REST_MS = 10_000;

    private final BenchSettings settings;
    private final WorkFolder work;
    private final Sizes sizes;
    private final Progress progress;

    /**
     * How much is measured.
     *
     * @param rounds of 64 turns, each with two spans of either kind
     * @param windowMs length of a span
     */
    record Sizes(int rounds, long windowMs) {}

    DecodeLatency(BenchSettings settings, WorkFolder work, Sizes sizes, Progress progress) {
        this.settings = requireNonNull(settings, "settings");
        this.work = requireNonNull(work, "work");
        this.sizes = requireNonNull(sizes, "sizes");
        this.progress = requireNonNull(progress, "progress");
    }

    /** The spans of a round. */
    private record Spans(List<TokenGaps.Window> with, List<TokenGaps.Window> without) {
        Spans() {
            this(new ArrayList<>(), new ArrayList<>());
        }
    }

    void measure(BenchReport report) throws Exception {
        Configuration configuration = JobSettings.serving(settings, work, "latency", MANAGED_MEBIBYTES);
        configuration.set(MillraceOptions.KV_MEMORY, MemorySize.ofMebiBytes(KV_MEBIBYTES));
        Measured measured = new Measured();
        List<CompletedCheckpointStats> checkpoints;
        try (JobCluster job = JobCluster.start(configuration, MillraceJob.servedModel(configuration));
                CheckpointClock clock = new CheckpointClock(job, CHECKPOINT_MS)) {
            warmUp(job);
            for (int round = 1; round <= sizes.rounds(); round++) {
                Spans spans = new Spans();
                TokenGaps gaps = round(job, clock, round, spans);
                measured.add(gaps, spans);
                progress.say(String.format(
                        Locale.ROOT,
                        "%d sessions decoding, round %d: p99 %.1f ms with checkpoints, %.1f ms without (p50 %.1f)",
                        SESSIONS,
                        round,
                        gaps.percentileMs(spans.with(), 0.99),
                        gaps.percentileMs(spans.without(), 0.99),
                        gaps.percentileMs(spans.without(), 0.5)));
            }
            checkpoints = clock.taken();
        }
        measured.report(report);
        report.addFigure("itl_checkpoints", Figure.of("count", checkpoints.size()));
        addParts(report, checkpoints);
    }

    /** What the checkpoints took, and of that the parts in which the slowest task does nothing else. */
    private static void addParts(BenchReport report, List<CompletedCheckpointStats> checkpoints) {
        add(report, "itl_checkpoint_duration_ms", checkpoints, CompletedCheckpointStats::getEndToEndDuration);
        add(
                report,
                "itl_checkpoint_start_delay_ms",
                checkpoints,
                slowest(TaskStateStats.TaskStateStatsSummary::getCheckpointStartDelayStats));
        add(
                report,
                "itl_checkpoint_sync_ms",
                checkpoints,
                slowest(TaskStateStats.TaskStateStatsSummary::getSyncCheckpointDurationStats));
        add(
                report,
                "itl_checkpoint_async_ms",
                checkpoints,
                slowest(TaskStateStats.TaskStateStatsSummary::getAsyncCheckpointDurationStats));
    }

    private static ToLongFunction<CompletedCheckpointStats> slowest(
            Function<TaskStateStats.TaskStateStatsSummary, StatsSummary> part) {
        return checkpoint -> checkpoint.getAllTaskStateStats().stream()
                .mapToLong(task -> part.apply(task.getSummaryStats()).getMaximum())
                .max()
                .orElse(0);
    }

    private static void add(
            BenchReport report,
            String name,
            List<CompletedCheckpointStats> checkpoints,
            ToLongFunction<CompletedCheckpointStats> value) {
        List<Double> values =
                checkpoints.stream().map(one -> (double) value.applyAsLong(one)).toList();
        report.addFigure(name, new Figure("ms", values, List.of()));
    }

    /** The gaps of all rounds: a round has too few steps for a percentile that is not its worst one. */
    private static final class Measured {
        private final List<double[]> with = new ArrayList<>();
        private final List<double[]> without = new ArrayList<>();

        void add(TokenGaps gaps, Spans spans) {
            with.add(gaps.endedWithin(spans.with()));
            without.add(gaps.endedWithin(spans.without()));
        }

        void report(BenchReport report) {
            double withP99 = percentile(with, 0.99);
            double withoutP99 = percentile(without, 0.99);
            report.addFigure("itl_p99_checkpoint_ms", Figure.of("ms", withP99));
            report.addFigure("itl_p99_none_ms", Figure.of("ms", withoutP99));
            report.addFigure("itl_p50_checkpoint_ms", Figure.of("ms", percentile(with, 0.5)));
            report.addFigure("itl_p50_none_ms", Figure.of("ms", percentile(without, 0.5)));
            report.addRatio("itl_p99_checkpoint_over_none", withP99 / withoutP99);
        }

        private static double percentile(List<double[]> rounds, double share) {
            return Figure.percentile(
                    rounds.stream().flatMapToDouble(Arrays::stream).toArray(), share);
        }
    }

    /** Has the JVM compile what it runs, and lets it come to an end with that. */
    private void warmUp(JobCluster job) throws Exception {
        List<ObservedTurn> turns = ask(job, 0);
        for (int checkpoint = 0; checkpoint < WARM_UP_CHECKPOINTS; checkpoint++) {
            job.checkpoint();
        }
        end(job, 0, turns);
    }

    private static List<ObservedTurn> ask(JobCluster job, int round) throws InterruptedException {
        List<ObservedTurn> turns = new ArrayList<>();
        for (int session = 0; session < SESSIONS; session++) {
            // Of many lengths: sessions that have nothing to do with each other do not fill their blocks in one step.
            String text = String.format(Locale.ROOT, "Tell me about number %03d of %03d,", session, round)
                    + " please".repeat(session % BLOCK_TOKENS);
            turns.add(ObservedTurn.send(
                    job.port(),
                    Requests.turn(
                            name(round, session), "1", "", List.of(Requests.message("user", text)), TURN_TOKENS)));
        }
        for (ObservedTurn turn : turns) {
            turn.awaitTokens(2);
        }
        return turns;
    }

    private static void end(JobCluster job, int round, List<ObservedTurn> turns) throws Exception {
        for (int session = 0; session < SESSIONS; session++) {
            job.port().cancel(name(round, session), "1", "measured");
        }
        for (ObservedTurn turn : turns) {
            turn.await().close();
        }
        Thread.sleep(REST_MS);
        job.checkpoint();
    }

    private TokenGaps round(JobCluster job, CheckpointClock clock, int round, Spans spans) throws Exception {
        List<ObservedTurn> turns = ask(job, round);
        // Spans in the order A B B A: what changes with time, such as the contexts' length, is the same for both.
        boolean withCheckpoints = round % 2 == 0;
        for (int span = 0; span < SPANS; span++) {
            clock.set(withCheckpoints);
            settle(clock, withCheckpoints);
            TokenGaps.Window window = watch(turns);
            if (turns.stream().noneMatch(ObservedTurn::hasEnded)) {
                (withCheckpoints ? spans.with() : spans.without()).add(window);
            }
            withCheckpoints ^= span % 2 == 0;
        }
        clock.set(false);
        TokenGaps gaps = new TokenGaps();
        turns.forEach(turn -> gaps.addStream(turn.nanos()));
        end(job, round, turns);
        return gaps;
    }

    private static void settle(CheckpointClock clock, boolean withCheckpoints) throws InterruptedException {
        Thread.sleep(SETTLE_MS);
        if (withCheckpoints) {
            clock.awaitMore(SETTLE_CHECKPOINTS, SETTLE_LIMIT_MS);
        }
    }

    private TokenGaps.Window watch(List<ObservedTurn> turns) throws InterruptedException {
        long begin = System.nanoTime();
        long end = begin + TimeUnit.MILLISECONDS.toNanos(sizes.windowMs());
        while (System.nanoTime() - end < 0 && turns.stream().noneMatch(ObservedTurn::hasEnded)) {
            Thread.sleep(POLL_MS);
        }
        return new TokenGaps.Window(begin, System.nanoTime());
    }

    private static String name(int round, int session) {
        return "latency-" + round + "-" + session;
    }
}
