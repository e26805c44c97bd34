package io.millrace.bench.speculation;

import io.millrace.bench.BenchReport;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.engine.SpeculationParameters;
import io.millrace.engine.SpeculationStats;
import io.millrace.engine.speculation.DrafterKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;

/** Runs the same tasks with guesses and without. */
record Comparison(DraftingEngine engine, BenchReport report, Progress progress, int runs) {
    /** Measures tasks, so many at a time, with every kind of guess that the engine has. */
    void run(String name, List<DraftingEngine.Task> tasks, int atATime) throws InterruptedException {
        Compared compared = compare(name, tasks, atATime, SpeculationParameters.ALL);
        report.addFigure(name + "_tokens_per_second", compared.rates());
        report.addRatio(name + "_over_plain", compared.rates().overPeer());
        addShare(name + "_lookup_accepted", SpeculationStats::lookup, compared);
        addShare(name + "_constraint_accepted", SpeculationStats::constraint, compared);
    }

    /** Measures tasks, one at a time, with guesses of the engine's second model alone. */
    void runDraftModel(String name, List<DraftingEngine.Task> tasks, int maxDraftTokens) throws InterruptedException {
        Compared compared =
                compare(name, tasks, 1, new SpeculationParameters(Set.of(DrafterKind.MODEL), maxDraftTokens));
        report.addFigure(name + "_tokens_per_second", compared.rates());
        report.addFigure(name + "_tokens_per_step", Figure.of("tokens", compared.tokensPerStep()));
        addShare(name + "_accepted", SpeculationStats::model, compared);
    }

    /**
     * Runs tasks with guesses and without.
     *
     * @param rates tokens a second, beside those without guesses
     * @param tokensPerStep with guesses
     */
    private record Compared(Figure rates, double tokensPerStep, SpeculationStats before, SpeculationStats after) {}

    /** The first run of either kind does not count. */
    private Compared compare(
            String name, List<DraftingEngine.Task> tasks, int atATime, SpeculationParameters speculation)
            throws InterruptedException {
        List<Double> plain = new ArrayList<>();
        List<Double> drafted = new ArrayList<>();
        double tokensPerStep = 1;
        SpeculationStats before = engine.stats().speculation();
        for (int run = 0; run <= runs; run++) {
            // In turns, which of them is first: what changes with time is the same for both.
            Total first = decode(tasks, atATime, run % 2 == 1 ? speculation : SpeculationParameters.OFF);
            Total second = decode(tasks, atATime, run % 2 == 1 ? SpeculationParameters.OFF : speculation);
            Total with = run % 2 == 1 ? first : second;
            Total without = run % 2 == 1 ? second : first;
            if (!with.outputs.equals(without.outputs)) {
                throw new IllegalStateException(name + ": guesses changed the output");
            }
            tokensPerStep = (double) with.tokens / with.steps;
            progress.say(String.format(
                    Locale.ROOT,
                    "%s, run %d: %.1f tokens/s, %.1f without guesses; %.2f tokens a step",
                    name,
                    run,
                    with.rate(),
                    without.rate(),
                    tokensPerStep));
            if (run > 0) {
                drafted.add(with.rate());
                plain.add(without.rate());
            }
        }
        return new Compared(
                new Figure("tokens/s", drafted, plain),
                tokensPerStep,
                before,
                engine.stats().speculation());
    }

    /** Time of a step with masks beside that without, of answers of one length; nothing is guessed. */
    void constrained(List<int[]> prompts, ModelTasks models, int maxTokens) throws InterruptedException {
        DraftingEngine.Task anyText = models.text("Any text.", maxTokens);
        List<Double> plain = new ArrayList<>();
        List<Double> masked = new ArrayList<>();
        List<DraftingEngine.Task> free = DraftingEngine.tasks(prompts, maxTokens);
        List<DraftingEngine.Task> held = prompts.stream()
                .map(prompt -> new DraftingEngine.Task(prompt, maxTokens, anyText.constraint()))
                .toList();
        for (int run = 0; run <= runs; run++) {
            Total first = decode(run % 2 == 1 ? held : free, 1, SpeculationParameters.OFF);
            Total second = decode(run % 2 == 1 ? free : held, 1, SpeculationParameters.OFF);
            if (run > 0) {
                masked.add((run % 2 == 1 ? first : second).secondsPerStep() * 1e3);
                plain.add((run % 2 == 1 ? second : first).secondsPerStep() * 1e3);
            }
        }
        report.addFigure("constrained_step_ms", new Figure("ms", masked, plain));
        report.addRatio("constrained_step_over_plain", Figure.median(masked) / Figure.median(plain));
    }

    private void addShare(String name, Function<SpeculationStats, SpeculationStats.Drafted> kind, Compared compared) {
        SpeculationStats.Drafted before = kind.apply(compared.before());
        SpeculationStats.Drafted after = kind.apply(compared.after());
        long drafted = after.draftedTokens() - before.draftedTokens();
        if (drafted > 0) {
            report.addFigure(
                    name, Figure.of("share", (double) (after.acceptedTokens() - before.acceptedTokens()) / drafted));
        }
    }

    private Total decode(List<DraftingEngine.Task> tasks, int atATime, SpeculationParameters speculation)
            throws InterruptedException {
        Total total = new Total();
        for (int from = 0; from < tasks.size(); from += atATime) {
            total.add(engine.run(tasks.subList(from, from + atATime), speculation));
        }
        return total;
    }

    /** Results one after the other. */
    private static final class Total {
        private final List<List<Integer>> outputs = new ArrayList<>();
        private double seconds;
        private long tokens;
        private long steps;

        void add(DraftingEngine.Result result) {
            outputs.addAll(result.outputs());
            seconds += result.seconds();
            tokens += result.tokens();
            steps += result.steps();
        }

        double secondsPerStep() {
            return seconds / steps;
        }

        double rate() {
            return tokens / seconds;
        }
    }
}
