package io.millrace.bench.soak;

import io.millrace.bench.BenchReport;
import io.millrace.bench.BenchSettings;
import io.millrace.bench.BenchSuite;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import java.util.Random;

/**
 * Agents talk to a job that is killed, stopped and rescaled at random; every turn must say what it said undisturbed,
 * and nothing may grow. {@code -Dmillrace.soak.minutes=N} is how long (10), {@code -Dmillrace.soak.seed=N} what it
 * draws from.
 */
public final class SoakSuite implements BenchSuite {
    @Override
    public String name() {
        return "soak";
    }

    @Override
    public String description() {
        return "ten minutes of sessions on a job that is killed and rescaled: same tokens, no growth";
    }

    @Override
    public BenchReport run(BenchSettings settings, Progress progress) throws Exception {
        double minutes = Double.parseDouble(System.getProperty("millrace.soak.minutes", settings.quick() ? "2" : "10"));
        long seed = Long.getLong("millrace.soak.seed", new Random().nextLong());
        progress.say("soaking for " + minutes + " minutes, seed " + seed);
        Soak.Result result = Soak.run(minutes, seed, progress);
        Growth growth = new Growth(result.samples());
        growth.table().forEach(progress::say);
        BenchReport report = new BenchReport(name());
        report.addFigure("turns", Figure.of("turns", result.turns()));
        report.addFigure("failures", Figure.of("failures", result.failures()));
        report.addFigure("savepoints", Figure.of("savepoints", result.savepoints()));
        growth.table().forEach(report::addNote);
        if (!growth.grown().isEmpty()) {
            throw new IllegalStateException("something grew (seed " + seed + "): " + growth.grown());
        }
        return report;
    }
}
