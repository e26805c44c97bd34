package io.millrace.model;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;

/** Finds the demo model for tests that need the real thing. */
final class RealModel {
    static final String FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf";

    private RealModel() {}

    /** Returns the model's file; skips the test where it is absent, and fails it where it must not be. */
    static Path file() {
        String home = System.getenv("MILLRACE_HOME");
        Path root = home != null ? Path.of(home) : Path.of(System.getProperty("user.home"), ".cache", "millrace");
        Path file = root.resolve("models").resolve(FILE_NAME);
        if (!Files.isRegularFile(file)) {
            String reason = "the demo model is not at " + file;
            if ("1".equals(System.getenv("MILLRACE_REQUIRE_MODEL"))) {
                return fail(reason);
            }
            System.out.println("SKIPPED: " + reason);
            return abort(reason);
        }
        return file;
    }
}
