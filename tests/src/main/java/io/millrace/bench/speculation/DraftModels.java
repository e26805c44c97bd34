package io.millrace.bench.speculation;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.BenchReport;
import io.millrace.bench.BenchSettings;
import io.millrace.bench.Progress;
import io.millrace.engine.SpeculationOptions;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.model.GeneratedModel;
import io.millrace.model.ModelCopy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A model beside its own first layers, which guess for it: a generated one and the demo model. Nobody trained these
 * layers to say something by themselves, so what comes out is less than what a small model of the same family gives.
 */
final class DraftModels {
    private static final int GENERATED_LAYERS = 12;
    private static final int[] GENERATED_DRAFT_LAYERS = {4, 10};
    private static final int[] DEMO_DRAFT_LAYERS = {8, 20, 28};
    private static final int DRAFT_TOKENS = 3;
    private static final int PROMPTS = 2;
    private static final int PROMPT_TOKENS = 60;
    private static final int OUTPUT_TOKENS = 64;

    private final BenchSettings settings;
    private final BenchReport report;
    private final Progress progress;

    DraftModels(BenchSettings settings, BenchReport report, Progress progress) {
        this.settings = requireNonNull(settings, "settings");
        this.report = requireNonNull(report, "report");
        this.progress = requireNonNull(progress, "progress");
    }

    void measure() throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("millrace-draft-models");
        Path generated = folder.resolve("generated.gguf");
        Path draft = folder.resolve("draft.gguf");
        try {
            GeneratedModel.write(
                    generated,
                    GeneratedModel.Options.tiny("llama", 1).withShape(GENERATED_LAYERS, 512, 1024, 8, 4, 64));
            for (int layers : GENERATED_DRAFT_LAYERS) {
                ModelCopy.firstLayers(generated, draft, layers);
                measure("draft_generated_" + layers + "_of_" + GENERATED_LAYERS, generated, draft, true);
            }
            for (int layers : DEMO_DRAFT_LAYERS) {
                ModelCopy.firstLayers(settings.model(), draft, layers);
                measure("draft_demo_" + layers + "_layers", settings.model(), draft, false);
            }
        } finally {
            Files.deleteIfExists(draft);
            Files.deleteIfExists(generated);
            Files.delete(folder);
        }
    }

    /** Guesses of one length whatever they bring, and as the engine likes them. */
    private void measure(String name, Path model, Path draft, boolean random) throws InterruptedException {
        for (boolean adaptive : new boolean[] {false, true}) {
            SpeculationOptions options =
                    new SpeculationOptions(InstanceSpec.DEFAULT_DRAFT_ROWS, adaptive, Runnable::run);
            try (DraftingEngine engine = new DraftingEngine(model, draft, options, settings.threads(), progress)) {
                List<int[]> prompts = random ? randomPrompts(engine) : Prompts.chats(engine.tokenizer(), PROMPTS);
                new Comparison(engine, report, progress, settings.quick() ? 1 : 3)
                        .runDraftModel(
                                name + (adaptive ? "_adaptive" : ""),
                                DraftingEngine.tasks(prompts, OUTPUT_TOKENS),
                                DRAFT_TOKENS);
            }
        }
    }

    private static List<int[]> randomPrompts(DraftingEngine engine) {
        List<int[]> prompts = new ArrayList<>();
        for (int seed = 0; seed < PROMPTS; seed++) {
            prompts.add(new Random(seed)
                    .ints(PROMPT_TOKENS, 3, engine.tokenizer().vocabSize())
                    .toArray());
        }
        return prompts;
    }
}
