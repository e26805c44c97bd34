package io.millrace.bench.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.BenchReport;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.bench.engine.TokenStreamClient;
import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.ClusterRole;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What clients see of it when a TaskManager is killed while 32 sessions decode on a cluster of real processes: for
 * each, the longest time between two tokens from then on; and the parts of that time, by what Flink says it did when.
 */
final class Outage {
    private static final int SESSIONS = 32;
    /** Until the kill: all sessions decode, and a checkpoint or more has been taken of them. */
    private static final long BEFORE_MS = 8_000;

    private final Progress progress;
    private final int tokens;
    private int turnNumber;

    /**
     * An outage to be measured.
     *
     * @param tokens of a session's turn; must last until after the outage
     */
    Outage(int tokens, Progress progress) {
        this.tokens = tokens;
        this.progress = requireNonNull(progress, "progress");
    }

    /** Measures so many kills, each of a whole cluster, which is healed between them. */
    void measure(ClusterProcesses cluster, int rounds, BenchReport report) throws Exception {
        Map<String, List<Double>> figures = new LinkedHashMap<>();
        for (int round = 1; round <= rounds; round++) {
            Map<String, Double> parts = round(cluster);
            progress.say(String.format(
                    Locale.ROOT,
                    "outage of %d sessions by kill -9 of a TaskManager, %d: median %.0f ms, longest %.0f ms;"
                            + " noticed %.0f, restart %.0f, restore %.0f, decode %.0f",
                    SESSIONS,
                    round,
                    parts.get("outage_ms"),
                    parts.get("outage_longest_ms"),
                    parts.get("outage_noticed_ms"),
                    parts.get("outage_restart_ms"),
                    parts.get("outage_restore_ms"),
                    parts.get("outage_decode_ms")));
            parts.forEach((name, ms) ->
                    figures.computeIfAbsent(name, any -> new ArrayList<>()).add(ms));
            if (round < rounds) {
                cluster.heal(progress::say);
                cluster.awaitRunning();
            }
        }
        figures.forEach((name, runs) -> report.addFigure(name, new Figure("ms", runs, List.of())));
    }

    private Map<String, Double> round(ClusterProcesses cluster) throws Exception {
        ExecutorService streams = Executors.newFixedThreadPool(SESSIONS);
        try {
            TokenStreamClient client =
                    new TokenStreamClient(cluster.gatewayUris().get(0));
            List<Future<TokenStreamClient.Timeline>> turns = new ArrayList<>();
            for (int session = 0; session < SESSIONS; session++) {
                String name = "outage-" + turnNumber++;
                Callable<TokenStreamClient.Timeline> turn =
                        () -> client.run(name, "Tell me about the mill of " + name + ".", tokens);
                turns.add(streams.submit(turn));
            }
            Thread.sleep(BEFORE_MS);
            long killNanos = System.nanoTime();
            long killMs = System.currentTimeMillis();
            cluster.kill(ClusterRole.taskManager(1));
            return parts(turns, killNanos, killMs, cluster);
        } finally {
            streams.shutdownNow();
        }
    }

    private static Map<String, Double> parts(
            List<Future<TokenStreamClient.Timeline>> turns, long killNanos, long killMs, ClusterProcesses cluster)
            throws Exception {
        List<Double> gaps = new ArrayList<>();
        List<Double> resumes = new ArrayList<>();
        for (Future<TokenStreamClient.Timeline> turn : turns) {
            Gap gap = longestGap(turn, killNanos);
            gaps.add((gap.endNanos() - gap.beginNanos()) / 1e6);
            resumes.add((gap.endNanos() - killNanos) / 1e6);
        }
        RestartTimes times = RestartTimes.read(cluster.restUri(), requireNonNull(cluster.jobId(), "job"), killMs);
        Map<String, Double> parts = new LinkedHashMap<>();
        parts.put("outage_ms", Figure.median(gaps));
        parts.put(
                "outage_longest_ms",
                gaps.stream().mapToDouble(Double::doubleValue).max().orElseThrow());
        parts.put("outage_noticed_ms", (double) (times.noticedMs() - killMs));
        parts.put("outage_restart_ms", (double) (times.restoringMs() - times.noticedMs()));
        parts.put("outage_restore_ms", (double) (times.runningMs() - times.restoringMs()));
        parts.put("outage_decode_ms", Figure.median(resumes) - (times.runningMs() - killMs));
        return parts;
    }

    private record Gap(long beginNanos, long endNanos) {}

    private static Gap longestGap(Future<TokenStreamClient.Timeline> turn, long killNanos)
            throws InterruptedException, ExecutionException {
        long[] nanos = turn.get().receivedNanos();
        if (nanos[1] - killNanos > 0 || nanos[nanos.length - 1] - killNanos < 0) {
            throw new IllegalStateException("a turn did not run when the TaskManager was killed");
        }
        Gap longest = new Gap(0, 0);
        for (int index = 1; index < nanos.length; index++) {
            boolean after = nanos[index] - killNanos > 0;
            if (after && nanos[index] - nanos[index - 1] > longest.endNanos() - longest.beginNanos()) {
                longest = new Gap(nanos[index - 1], nanos[index]);
            }
        }
        return longest;
    }
}
