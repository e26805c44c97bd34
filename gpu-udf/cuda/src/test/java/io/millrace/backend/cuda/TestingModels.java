package io.millrace.backend.cuda;

import io.millrace.backend.cpu.CpuBackend;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.KvPoolSize;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.model.GeneratedModel;
import io.millrace.model.GgufModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;

/** Generated models, and instances of them on the backend under test and on the reference. */
final class TestingModels {
    static final int BLOCKS = 96;

    private TestingModels() {}

    static GgufModel generate(Path folder, GeneratedModel.Options options) throws IOException {
        Path file = folder.resolve(options.architecture() + "-" + options.weightType() + "-" + options.seed() + "-"
                + options.embeddingLength() + "-" + options.headDim() + ".gguf");
        GeneratedModel.write(file, options);
        return GgufModel.open(file);
    }

    static InstanceSpec spec(GgufModel model, Map<String, String> parameters) {
        return new InstanceSpec(model, KvPoolSize.blocks(BLOCKS), 32, 512, 64, 96, 1024, 0, 2, parameters);
    }

    static ModelInstance reference(GgufModel model) {
        CpuBackend backend = new CpuBackend();
        backend.initialize();
        return backend.load(spec(model, Map.of()));
    }

    static int[] tokens(long seed, int count, int vocabSize) {
        return new Random(seed).ints(count, 0, vocabSize).toArray();
    }
}
