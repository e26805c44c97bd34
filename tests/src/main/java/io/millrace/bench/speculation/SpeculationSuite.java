package io.millrace.bench.speculation;

import io.millrace.bench.BenchReport;
import io.millrace.bench.BenchSettings;
import io.millrace.bench.BenchSuite;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.engine.SpeculationParameters;
import io.millrace.engine.SpeculationStats;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.flink.configuration.Configuration;

/** Decoding with guesses beside decoding without, in turns, in one engine. */
public final class SpeculationSuite implements BenchSuite {
    private static final int EDIT_TOKENS = 224;
    private static final int CHAT_TOKENS = 160;
    private static final int BATCH_TOKENS = 64;
    private static final int CALL_TOKENS = 200;

    @Override
    public String name() {
        return "speculation";
    }

    @Override
    public String description() {
        return "decoding with guesses and constraints beside decoding without";
    }

    @Override
    public BenchReport run(BenchSettings settings, Progress progress) throws Exception {
        BenchReport report = new BenchReport(name());
        report.addCommand("./millrace bench speculation" + (settings.quick() ? " --quick" : "") + " --threads "
                + settings.threads() + " --model " + settings.model().getFileName());
        int runs = settings.quick() ? 2 : 6;
        try (DraftingEngine engine = new DraftingEngine(settings.model(), settings.threads(), progress)) {
            Comparison comparison = new Comparison(engine, report, progress, runs);
            if (settings.wants("lookup")) {
                comparison.run("lookup", tasks(Prompts.edits(engine.tokenizer()), EDIT_TOKENS), 1);
            }
            if (settings.wants("chat")) {
                comparison.run("chat", tasks(Prompts.chats(engine.tokenizer(), 4), CHAT_TOKENS), 1);
            }
            if (settings.wants("tool_calls") || settings.wants("masks")) {
                Configuration options = new Configuration();
                options.set(MillraceOptions.MODEL_FILE, settings.model().toString());
                ModelTasks tasks =
                        new ModelTasks(MillraceJob.servedModel(options).open());
                if (settings.wants("tool_calls")) {
                    comparison.run(
                            "tool_calls",
                            Schemas.fiveFieldTools().stream()
                                    .map(tool -> tasks.call(tool, CALL_TOKENS))
                                    .toList(),
                            1);
                }
                if (settings.wants("masks")) {
                    comparison.constrained(Prompts.chats(engine.tokenizer(), 4), tasks, CHAT_TOKENS);
                    new MaskTimes(tasks, engine.tokenizer().vocabSize(), progress)
                            .measure(report, settings.quick() ? 50 : 200);
                }
            }
            if (settings.wants("batch32")) {
                int batch = DraftingEngine.MAX_BATCH_SEQUENCES;
                comparison.run("batch32", tasks(Prompts.chats(engine.tokenizer(), batch), BATCH_TOKENS), batch);
            }
        }
        return report;
    }

    private static List<DraftingEngine.Task> tasks(List<int[]> prompts, int maxTokens) {
        return prompts.stream()
                .map(prompt -> new DraftingEngine.Task(prompt, maxTokens, null))
                .toList();
    }

    /** Runs the same tasks with guesses and without. */
    private record Comparison(DraftingEngine engine, BenchReport report, Progress progress, int runs) {
        /** Measures tasks, so many at a time; the first run of either kind does not count. */
        void run(String name, List<DraftingEngine.Task> tasks, int atATime) throws InterruptedException {
            List<Double> plain = new ArrayList<>();
            List<Double> drafted = new ArrayList<>();
            SpeculationStats before = engine.stats().speculation();
            for (int run = 0; run <= runs; run++) {
                // In turns, which of them is first: what changes with time is the same for both.
                Total first = decode(tasks, atATime, speculation(run % 2 == 1));
                Total second = decode(tasks, atATime, speculation(run % 2 == 0));
                Total with = run % 2 == 1 ? first : second;
                Total without = run % 2 == 1 ? second : first;
                if (!with.outputs.equals(without.outputs)) {
                    throw new IllegalStateException(name + ": guesses changed the output");
                }
                progress.say(String.format(
                        Locale.ROOT,
                        "%s, run %d: %.1f tokens/s, %.1f without guesses; %.2f tokens a step",
                        name,
                        run,
                        with.rate(),
                        without.rate(),
                        (double) with.tokens / with.steps));
                if (run > 0) {
                    drafted.add(with.rate());
                    plain.add(without.rate());
                }
            }
            SpeculationStats after = engine.stats().speculation();
            report.addFigure(name + "_tokens_per_second", new Figure("tokens/s", drafted, plain));
            report.addRatio(name + "_over_plain", Figure.median(drafted) / Figure.median(plain));
            addShare(name + "_lookup_accepted", before.lookup(), after.lookup());
            addShare(name + "_constraint_accepted", before.constraint(), after.constraint());
        }

        /** Time of a step with masks beside that without, of answers of one length; nothing is guessed. */
        void constrained(List<int[]> prompts, ModelTasks models, int maxTokens) throws InterruptedException {
            DraftingEngine.Task anyText = models.text("Any text.", maxTokens);
            List<Double> plain = new ArrayList<>();
            List<Double> masked = new ArrayList<>();
            List<DraftingEngine.Task> free = tasks(prompts, maxTokens);
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

        private static SpeculationParameters speculation(boolean on) {
            return on ? SpeculationParameters.ALL : SpeculationParameters.OFF;
        }

        private void addShare(String name, SpeculationStats.Drafted before, SpeculationStats.Drafted after) {
            long drafted = after.draftedTokens() - before.draftedTokens();
            if (drafted > 0) {
                report.addFigure(
                        name,
                        Figure.of("share", (double) (after.acceptedTokens() - before.acceptedTokens()) / drafted));
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
