package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.BenchReport;
import io.millrace.bench.BenchSettings;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecution;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;

/**
 * From the kill of Decode's task in the middle of a turn to the turn's first continued token, with its parts: once with
 * the engine kept in the process, as after a failed task, and once with an engine that is loaded anew and holds
 * nothing, as after a failed process.
 */
final class Recovery {
    private static final int MANAGED_MEBIBYTES = 512;
    private static final int PROMPT_WORDS = 900;
    private static final int TOKENS = 400;
    private static final int TOKENS_BEFORE_CHECKPOINT = 40;
    private static final int TOKENS_BEFORE_KILL = 60;
    private static final long NANOS_PER_MS = 1_000_000;

    private final BenchSettings settings;
    private final WorkFolder work;
    private final int runs;
    private final Progress progress;

    Recovery(BenchSettings settings, WorkFolder work, int runs, Progress progress) {
        this.settings = requireNonNull(settings, "settings");
        this.work = requireNonNull(work, "work");
        this.runs = runs;
        this.progress = requireNonNull(progress, "progress");
    }

    void measure(BenchReport report) throws Exception {
        measure("kill_task", Duration.ofSeconds(60), report);
        measure("kill_cold_engine", Duration.ZERO, report);
    }

    private void measure(String name, Duration linger, BenchReport report) throws Exception {
        Configuration configuration = JobSettings.serving(settings, work, name, MANAGED_MEBIBYTES);
        configuration.set(MillraceOptions.ENGINE_LINGER, linger);
        TracedModel model = new TracedModel(MillraceJob.servedModel(configuration), name);
        List<RecoveryParts> all = new ArrayList<>();
        List<Double> again = new ArrayList<>();
        try (JobCluster job = JobCluster.start(configuration, model)) {
            // The first kill loads classes and compiles; it does not count.
            for (int run = 0; run <= runs; run++) {
                Kill kill = kill(job, name, run);
                progress.say(String.format(
                        Locale.ROOT,
                        "%s, run %d: first continued token after %.0f ms, %d decoded again",
                        name,
                        run,
                        kill.parts().totalMs(),
                        kill.tokensAgain()));
                if (run > 0) {
                    all.add(kill.parts());
                    again.add((double) kill.tokensAgain());
                }
            }
        }
        report.addFigure(
                name + "_to_token_ms",
                new Figure("ms", all.stream().map(RecoveryParts::totalMs).toList(), List.of()));
        report.addFigure(name + "_tokens_again", new Figure("tokens", again, List.of()));
        Map<String, List<Double>> byPart = new LinkedHashMap<>();
        for (RecoveryParts one : all) {
            one.partsMs()
                    .forEach((part, ms) -> byPart.computeIfAbsent(part, any -> new ArrayList<>())
                            .add(ms));
        }
        byPart.forEach((part, ms) -> report.addFigure(name + "_" + part + "_ms", new Figure("ms", ms, List.of())));
    }

    /** A kill: the times of what followed, and the tokens that had been sent and were decoded again. */
    private record Kill(RecoveryParts parts, int tokensAgain) {}

    private Kill kill(JobCluster job, String name, int run) throws Exception {
        DecodeTrace trace = TracedModel.trace(name);
        String session = name + "-" + run;
        String text = "Repeat after me:" + (" number " + run).repeat(PROMPT_WORDS / 2);
        try (ObservedTurn turn = ObservedTurn.send(
                job.port(), Requests.turn(session, "1", session, List.of(Requests.message("user", text)), TOKENS))) {
            turn.awaitTokens(TOKENS_BEFORE_CHECKPOINT);
            job.checkpoint();
            int before = turn.awaitTokens(turn.tokens().size() + TOKENS_BEFORE_KILL - TOKENS_BEFORE_CHECKPOINT)
                    .tokens()
                    .size();
            trace.kill();
            turn.awaitTokens(before + TOKENS_BEFORE_KILL);
            job.awaitRunning(run + 1);
            int continued = firstAfter(turn.nanos(), trace.firstTokenNanos());
            RecoveryParts parts = parts(job.graph(), trace, turn.nanos()[continued]);
            job.port().cancel(session, "1", "measured");
            turn.await();
            return new Kill(parts, continued - trace.firstTokenOffset());
        }
    }

    /** The first token that came once the engine had sampled one again: repeated ones never reach a client. */
    private static int firstAfter(long[] nanos, long sampledNanos) {
        for (int token = 0; token < nanos.length; token++) {
            if (nanos[token] - sampledNanos > 0) {
                return token;
            }
        }
        throw new IllegalStateException("no token came after the restart");
    }

    private static RecoveryParts parts(AccessExecutionGraph graph, DecodeTrace trace, long continued) {
        AccessExecution attempt = decode(graph).getCurrentExecutionAttempt();
        AccessExecution failed = decode(graph)
                .getExecutionHistory()
                .getHistoricalExecution(attempt.getAttemptNumber() - 1)
                .orElseThrow();
        // Flink's times are milliseconds of the day's clock: both clocks are read here once, at one moment.
        long offsetNanos = System.nanoTime() - System.currentTimeMillis() * NANOS_PER_MS;
        return new RecoveryParts(
                trace.killNanos(),
                failed.getStateTimestamp(ExecutionState.FAILED) * NANOS_PER_MS + offsetNanos,
                attempt.getStateTimestamp(ExecutionState.DEPLOYING) * NANOS_PER_MS + offsetNanos,
                trace.resumeNanos(),
                trace.firstTokenNanos(),
                continued);
    }

    private static AccessExecutionVertex decode(AccessExecutionGraph graph) {
        for (AccessExecutionVertex vertex : graph.getAllExecutionVertices()) {
            if (vertex.getTaskNameWithSubtaskIndex().startsWith("Decode")) {
                return vertex;
            }
        }
        throw new IllegalStateException("the job has no Decode");
    }
}
