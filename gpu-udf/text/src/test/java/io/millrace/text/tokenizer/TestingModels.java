package io.millrace.text.tokenizer;

import io.millrace.model.GgufModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Finds the demo model, which the build fetches. */
final class TestingModels {
    private static final String FILE = "SmolLM2-135M-Instruct.Q4_1.gguf";

    private TestingModels() {}

    /** Returns the demo model's tokenizer; nothing, with a printed reason, if the model is not there. */
    static Optional<Tokenizer> smolLm2() {
        String home = Optional.ofNullable(System.getenv("MILLRACE_HOME"))
                .orElse(System.getProperty("user.home") + "/.cache/millrace");
        Path file = Path.of(home, "models", FILE);
        if (!Files.exists(file)) {
            if ("1".equals(System.getenv("MILLRACE_REQUIRE_MODEL"))) {
                throw new AssertionError("MILLRACE_REQUIRE_MODEL is set, and there is no " + file);
            }
            System.out.println("skipped: there is no " + file + "; ./millrace test fetches it");
            return Optional.empty();
        }
        try (GgufModel model = GgufModel.open(file)) {
            return Optional.of(Tokenizers.of(Vocabulary.fromMetadata(model.metadata())));
        }
    }
}
