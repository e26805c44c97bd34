package io.millrace.backend.sim;

import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.model.GeneratedModel;
import io.millrace.model.GgufModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A generated model, and simulated instances of it. */
final class TestingModels {
    private TestingModels() {}

    static GgufModel generate(Path folder) throws IOException {
        Path file = folder.resolve("tiny.gguf");
        GeneratedModel.write(file, GeneratedModel.Options.tiny("llama", 1));
        return GgufModel.open(file);
    }

    static InstanceSpec spec(GgufModel model, int blocks, int blockSize, Map<String, String> parameters) {
        return new InstanceSpec(model, blocks, blockSize, 256, 8, 512, 0, 1, parameters);
    }

    /** An instance that takes no time. */
    static ModelInstance load(GgufModel model, int blocks, int blockSize) {
        return new SimBackend(new TestingClock()).load(spec(model, blocks, blockSize, Map.of("time_scale", "0")));
    }
}
