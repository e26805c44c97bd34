package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.BenchReport;
import io.millrace.bench.BenchSettings;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.runtime.checkpoint.CompletedCheckpointStats;

/**
 * Time between tokens with a checkpoint every second and without: 64 sessions decode beside each other, and while they
 * do, spans with checkpoints and spans without take turns.
 */
final class DecodeLatency {
    private static final int SESSIONS = 64;
    private static final int MANAGED_MEBIBYTES = 256;
    private static final int KV_MEBIBYTES = 1024;
    private static final long CHECKPOINT_MS = 1000;
    private static final long POLL_MS = 10;
    private static final int SPANS = 4;
    /** More than are decoded in a round; what the KV blocks have room for. */
    private static final int TURN_TOKENS = 300;
    /** After a switch: a checkpoint that began before it has ended, or the first has begun. */
    private static final long SETTLE_MS = 1000;

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
        List<Double> with = new ArrayList<>();
        List<Double> without = new ArrayList<>();
        List<Double> medians = new ArrayList<>();
        List<CompletedCheckpointStats> checkpoints;
        try (JobCluster job = JobCluster.start(configuration, MillraceJob.servedModel(configuration));
                CheckpointClock clock = new CheckpointClock(job, CHECKPOINT_MS)) {
            round(job, clock, 0, 2, new Spans());
            for (int round = 1; round <= sizes.rounds(); round++) {
                Spans spans = new Spans();
                TokenGaps gaps = round(job, clock, round, SPANS, spans);
                with.add(gaps.percentileMs(spans.with(), 0.99));
                without.add(gaps.percentileMs(spans.without(), 0.99));
                medians.add(gaps.percentileMs(spans.without(), 0.5));
                progress.say(String.format(
                        Locale.ROOT,
                        "%d sessions decoding, round %d: p99 %.1f ms with checkpoints, %.1f ms without (p50 %.1f)",
                        SESSIONS,
                        round,
                        with.get(round - 1),
                        without.get(round - 1),
                        medians.get(round - 1)));
            }
            checkpoints = clock.taken();
        }
        report.addFigure("itl_p99_checkpoint_ms", new Figure("ms", with, List.of()));
        report.addFigure("itl_p99_none_ms", new Figure("ms", without, List.of()));
        report.addFigure("itl_p50_none_ms", new Figure("ms", medians, List.of()));
        report.addFigure("itl_checkpoints", Figure.of("count", checkpoints.size()));
        report.addFigure(
                "itl_checkpoint_duration_ms",
                new Figure(
                        "ms",
                        checkpoints.stream()
                                .map(one -> (double) one.getEndToEndDuration())
                                .toList(),
                        List.of()));
        report.addRatio("itl_p99_checkpoint_over_none", Figure.median(with) / Figure.median(without));
    }

    private TokenGaps round(JobCluster job, CheckpointClock clock, int round, int spanCount, Spans spans)
            throws InterruptedException {
        List<ObservedTurn> turns = new ArrayList<>();
        for (int session = 0; session < SESSIONS; session++) {
            // Texts of one length: all turns end at about one time, if they are left to.
            String text = String.format(Locale.ROOT, "Tell me about number %03d of %03d.", session, round);
            turns.add(ObservedTurn.send(
                    job.port(),
                    Requests.turn(
                            name(round, session), "1", "", List.of(Requests.message("user", text)), TURN_TOKENS)));
        }
        for (ObservedTurn turn : turns) {
            turn.awaitTokens(2);
        }
        // Spans in the order A B B A: what changes with time, such as the contexts' length, is the same for both.
        boolean withCheckpoints = round % 2 == 0;
        for (int span = 0; span < spanCount; span++) {
            clock.set(withCheckpoints);
            Thread.sleep(SETTLE_MS);
            TokenGaps.Window window = watch(turns);
            if (turns.stream().noneMatch(ObservedTurn::hasEnded)) {
                (withCheckpoints ? spans.with() : spans.without()).add(window);
            }
            withCheckpoints ^= span % 2 == 0;
        }
        clock.set(false);
        TokenGaps gaps = new TokenGaps();
        for (int session = 0; session < SESSIONS; session++) {
            gaps.addStream(turns.get(session).nanos());
            job.port().cancel(name(round, session), "1", "measured");
        }
        for (ObservedTurn turn : turns) {
            turn.await().close();
        }
        return gaps;
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
