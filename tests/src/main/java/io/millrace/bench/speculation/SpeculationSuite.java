package io.millrace.bench.speculation;

import io.millrace.bench.BenchReport;
import io.millrace.bench.BenchSettings;
import io.millrace.bench.BenchSuite;
import io.millrace.bench.Progress;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import java.util.List;
import org.apache.flink.configuration.Configuration;

/** Decoding with guesses beside decoding without, in turns, in one engine. */
public final class SpeculationSuite implements BenchSuite {
    private static final int EDIT_TOKENS = 224;
    private static final int CHAT_TOKENS = 160;
    private static final int BATCH_TOKENS = 64;
    private static final int CALL_TOKENS = 200;

    /** Those of an engine without a second model. */
    private static final List<String> PARTS = List.of("lookup", "chat", "tool_calls", "masks", "batch32");

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
        if (PARTS.stream().anyMatch(settings::wants)) {
            measure(settings, report, progress);
        }
        if (settings.wants("draft_model")) {
            new DraftModels(settings, report, progress).measure();
        }
        return report;
    }

    /** What one engine measures, without a second model. */
    private static void measure(BenchSettings settings, BenchReport report, Progress progress) throws Exception {
        int runs = settings.quick() ? 2 : 6;
        try (DraftingEngine engine = new DraftingEngine(settings.model(), settings.threads(), progress)) {
            Comparison comparison = new Comparison(engine, report, progress, runs);
            if (settings.wants("lookup")) {
                comparison.run("lookup", DraftingEngine.tasks(Prompts.edits(engine.tokenizer()), EDIT_TOKENS), 1);
            }
            if (settings.wants("chat")) {
                comparison.run("chat", DraftingEngine.tasks(Prompts.chats(engine.tokenizer(), 4), CHAT_TOKENS), 1);
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
                comparison.run(
                        "batch32", DraftingEngine.tasks(Prompts.chats(engine.tokenizer(), batch), BATCH_TOKENS), batch);
            }
        }
    }
}
