package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.KernelSelection;
import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.backend.cpu.kernel.ScalarKernels;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.model.GeneratedModel;
import io.millrace.model.GgufModel;
import io.millrace.model.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;

/** Generated models and instances of them. */
final class TestingModels {
    static final String[] ARCHITECTURES = {"llama", "qwen2", "qwen3", "gemma3"};

    private TestingModels() {}

    /** A model whose heads are as wide as two vectors: three query heads share each of two key/value heads. */
    static GeneratedModel.Options wideHeads(String architecture, long seed) {
        return GeneratedModel.Options.tiny(architecture, seed).withShape(3, 96, 160, 6, 2, 32);
    }

    /** A model whose rows hold whole blocks of every weight type. */
    static GeneratedModel.Options quantized(TensorType type, long seed) {
        return GeneratedModel.Options.tiny("llama", seed)
                .withShape(2, 256, 512, 8, 2, 32)
                .withWeightType(type);
    }

    static GgufModel generate(Path folder, GeneratedModel.Options options) throws IOException {
        Path file = folder.resolve(options.architecture() + "-" + options.weightType() + "-" + options.seed() + "-"
                + options.embeddingLength() + ".gguf");
        GeneratedModel.write(file, options);
        return GgufModel.open(file);
    }

    static InstanceSpec spec(GgufModel model, int threads) {
        return new InstanceSpec(model, 256, 32, 512, 24, 512, 0, threads);
    }

    static ModelInstance load(InstanceSpec spec, Kernels kernels) {
        CpuBackend backend = new CpuBackend(kernels);
        backend.initialize();
        return backend.load(spec);
    }

    static Kernels scalar() {
        return new ScalarKernels();
    }

    /** The vector kernels; the build's own JVM has the module. */
    static Kernels vector() {
        return KernelSelection.select();
    }

    static int[] tokens(long seed, int count, int vocabSize) {
        return new Random(seed).ints(count, 0, vocabSize).toArray();
    }
}
