package io.millrace.reference;

import io.millrace.job.cli.ModelFetcher;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** The demo's model, for tests that need a real one. */
public final class DemoModel {
    private DemoModel() {}

    /** Its file. Without it the calling test is skipped with a printed reason, or fails where CI demands the model. */
    public static Path require() {
        Path file = ModelFetcher.modelDirectory(System.getenv())
                .resolve(ModelFetcher.DEMO_MODELS.get(0).name());
        if (!Files.isRegularFile(file)) {
            String reason = "the demo model is not in " + file.getParent() + ": `./millrace model` fetches it";
            if ("1".equals(System.getenv("MILLRACE_REQUIRE_MODEL"))) {
                Assertions.fail(reason);
            }
            System.out.println("skipped: " + reason);
            Assumptions.abort(reason);
        }
        return file;
    }
}
