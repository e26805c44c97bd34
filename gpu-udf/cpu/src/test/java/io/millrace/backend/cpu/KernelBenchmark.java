package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.KernelSelection;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.model.GgufModel;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/**
 * Times a model: {@code KernelBenchmark FILE.gguf [threads]}. Prints the best and the median of several runs of
 * prefill at 512 tokens, and of decode at several batch sizes and contexts.
 */
public final class KernelBenchmark {
    private static final int RUNS = 9;

    private KernelBenchmark() {}

    /** Runs the benchmark. */
    public static void main(String[] args) {
        int threads = args.length > 1 ? Integer.parseInt(args[1]) : 2;
        try (GgufModel model = GgufModel.open(Path.of(args[0]))) {
            InstanceSpec spec = new InstanceSpec(model, 600, 32, 512, 16, 4096, 0, threads);
            CpuBackend backend = new CpuBackend(KernelSelection.select());
            backend.initialize();
            long start = System.nanoTime();
            try (ModelInstance instance = backend.load(spec)) {
                System.out.printf("loaded in %.2f s%n", (System.nanoTime() - start) / 1e9);
                instance.warmUp(System.out::println);
                measure(spec, instance);
            }
        }
    }

    private static void measure(InstanceSpec spec, ModelInstance instance) {
        Random random = new Random(1);
        int[] tokens = random.ints(4096, 0, instance.modelSpec().vocabSize()).toArray();
        double[] prefill = new double[RUNS];
        for (int run = 0; run < RUNS; run++) {
            TestingSequences sequences = new TestingSequences(spec, instance);
            long start = now(spec);
            sequences.prefill(sequences.newSequence(), Arrays.copyOf(tokens, 512), 512);
            prefill[run] = 512 / ((now(spec) - start) / 1e9);
        }
        print("prefill 512", prefill);
        for (int context : new int[] {64, 2000}) {
            decode(spec, instance, tokens, 1, context);
            decode(spec, instance, tokens, 8, context);
        }
    }

    private static void decode(InstanceSpec spec, ModelInstance instance, int[] tokens, int batch, int context) {
        TestingSequences sequences = new TestingSequences(spec, instance);
        TestingSequences.Sequence[] all = new TestingSequences.Sequence[batch];
        for (int i = 0; i < batch; i++) {
            all[i] = sequences.newSequence();
            sequences.prefill(all[i], Arrays.copyOf(tokens, context), 512);
        }
        double[] rates = new double[RUNS];
        for (int run = 0; run < RUNS; run++) {
            int steps = 24 / (batch > 1 ? 4 : 1);
            long start = now(spec);
            for (int step = 0; step < steps; step++) {
                sequences.begin();
                for (int i = 0; i < batch; i++) {
                    sequences.add(all[i], tokens, step, step + 1);
                }
                sequences.run();
            }
            rates[run] = steps * batch / ((now(spec) - start) / 1e9);
        }
        print("decode, batch " + batch + ", context " + context, rates);
    }

    /** With one thread its processor time: a busy machine then matters little. */
    private static long now(InstanceSpec spec) {
        return spec.threadCount() == 1
                ? ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime()
                : System.nanoTime();
    }

    private static void print(String what, double[] tokensPerSecond) {
        Arrays.sort(tokensPerSecond);
        System.out.printf(
                "%-32s best %8.1f   median %8.1f tokens/s%n",
                what, tokensPerSecond[RUNS - 1], tokensPerSecond[RUNS / 2]);
    }
}
