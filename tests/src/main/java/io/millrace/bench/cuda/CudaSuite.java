package io.millrace.bench.cuda;

import io.millrace.backend.cuda.CudaBackend;
import io.millrace.backend.cuda.Limits;
import io.millrace.backend.cuda.device.Device;
import io.millrace.backend.cuda.device.DeviceStream;
import io.millrace.backend.cuda.weights.GgufWeights;
import io.millrace.backend.cuda.weights.RandomWeights;
import io.millrace.backend.cuda.weights.WeightSource;
import io.millrace.bench.BenchReport;
import io.millrace.bench.BenchSettings;
import io.millrace.bench.BenchSuite;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.engine.backend.BackendAvailability;
import io.millrace.engine.backend.KvPoolSize;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.model.GgufModel;
import io.millrace.model.ModelSpec;
import io.millrace.model.TensorType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * An engine's steps on a GPU beside what the device could do: bytes that a decode step must read over the rate at which
 * the device copies within its memory, operations of a prefill over a second, copies of blocks over plain copies.
 */
public final class CudaSuite implements BenchSuite {
    private static final int BLOCK_TOKENS = 32;
    private static final int CONTEXT = 2048;
    private static final int BATCH = 32;
    private static final int PROMPT = 4096;
    private static final int COPY_BYTES = 256 << 20;
    private static final long BLOCK_COPIES = 512;
    private static final long SEED = 5;

    /** The shape of Llama 3.1 8B (its published configuration). */
    private static final ModelSpec LLAMA_8B = new ModelSpec(
            "llama",
            "Llama 3.1 8B",
            128_256,
            32,
            4096,
            14_336,
            32,
            8,
            128,
            131_072,
            1e-5f,
            rope(),
            rope(),
            0,
            0,
            ModelSpec.Activation.SILU,
            false,
            false,
            false,
            1f,
            (float) (1 / Math.sqrt(128)),
            false);

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public String description() {
        return "the engine's steps on a GPU beside the device's limits";
    }

    @Override
    public BenchReport run(BenchSettings settings, Progress progress) {
        CudaBackend backend = new CudaBackend();
        BackendAvailability availability = backend.availability();
        if (!availability.isAvailable()) {
            throw new IllegalStateException("bench cuda needs a GPU: " + availability.detail());
        }
        BenchReport report = new BenchReport(name());
        report.addCommand("./millrace bench cuda" + (settings.quick() ? " --quick" : "") + " --model "
                + settings.model().getFileName());
        int rounds = settings.quick() ? 3 : 7;
        double memoryRate = copyRates(backend, report, progress, rounds);
        if (settings.wants("demo")) {
            try (GgufModel model = GgufModel.open(settings.model())) {
                decode(backend, report, progress, rounds, memoryRate, "demo", new GgufWeights(model), 512, 1);
            }
        }
        for (TensorType type : new TensorType[] {TensorType.BF16, TensorType.Q8_0}) {
            String name = "8b_" + type.name().toLowerCase(java.util.Locale.ROOT);
            if (settings.wants(name)) {
                decode(
                        backend,
                        report,
                        progress,
                        rounds,
                        memoryRate,
                        name,
                        new RandomWeights(LLAMA_8B, type, SEED),
                        CONTEXT,
                        BATCH);
            }
        }
        return report;
    }

    /** Plain copies; gives bytes a second that the device's memory reads and writes together. */
    private static double copyRates(CudaBackend backend, BenchReport report, Progress progress, int rounds) {
        try (Device device = backend.devices().open(0)) {
            report.addNote("Device: " + device.name() + ", " + device.multiprocessorCount() + " multiprocessors, "
                    + (device.totalBytes() >> 20) + " MiB.");
            DeviceStream stream = device.newStream();
            ByteBuffer host = device.allocateHost(COPY_BYTES);
            long from = device.allocate(COPY_BYTES);
            long to = device.allocate(COPY_BYTES);
            List<Double> within = new ArrayList<>();
            List<Double> out = new ArrayList<>();
            List<Double> in = new ArrayList<>();
            for (int round = -1; round < rounds; round++) {
                double inside = seconds(stream, () -> stream.copy(to, from, COPY_BYTES));
                double download = seconds(stream, () -> stream.copyToHost(host.clear(), from));
                double upload = seconds(stream, () -> stream.copyToDevice(from, host.clear()));
                if (round >= 0) {
                    within.add(2.0 * COPY_BYTES / inside / 1e9);
                    out.add(COPY_BYTES / download / 1e9);
                    in.add(COPY_BYTES / upload / 1e9);
                }
            }
            report.addFigure("memory_gb_per_second", new Figure("GB/s", within, List.of()));
            report.addFigure("copy_to_host_gb_per_second", new Figure("GB/s", out, List.of()));
            report.addFigure("copy_to_device_gb_per_second", new Figure("GB/s", in, List.of()));
            progress.say("memory " + Math.round(Figure.median(within)) + " GB/s, copies out "
                    + Math.round(Figure.median(out)) + ", in " + Math.round(Figure.median(in)));
            device.free(from);
            device.free(to);
            device.freeHost(host);
            stream.close();
            return Figure.median(within) * 1e9;
        }
    }

    private static double seconds(DeviceStream stream, Runnable work) {
        stream.synchronize();
        long startNanos = System.nanoTime();
        work.run();
        stream.synchronize();
        return (System.nanoTime() - startNanos) / 1e9;
    }

    private static void decode(
            CudaBackend backend,
            BenchReport report,
            Progress progress,
            int rounds,
            double memoryRate,
            String name,
            WeightSource weights,
            int context,
            int batch) {
        Limits limits = new Limits(0, BLOCK_TOKENS, PROMPT, Math.max(BATCH, batch), Math.max(BATCH, batch), PROMPT);
        try (ModelInstance instance = backend.load(weights, limits, KvPoolSize.DEFAULT, 0, 16, Map.of())) {
            instance.warmUp(progress::say);
            StepTimes steps = new StepTimes(instance);
            for (int rows : batch == 1 ? new int[] {1} : new int[] {1, batch}) {
                List<Double> seconds = steps.decode(rows, context, rounds, 32);
                List<Double> rates = seconds.stream().map(each -> rows / each).toList();
                String figure = name + "_decode_batch_" + rows;
                report.addFigure(figure + "_tokens_per_second", new Figure("tokens/s", rates, List.of()));
                double bytes = weightBytes(weights) + (double) rows * context * keyValueBytes(instance);
                report.addRatio(figure + "_over_memory_limit", bytes / Figure.median(seconds) / memoryRate);
                progress.say(figure + ": " + Math.round(Figure.median(rates)) + " tokens/s");
            }
            List<Double> prefill = steps.prefill(PROMPT, rounds);
            double teraflops = 2.0 * matrixElements(weights.spec()) * PROMPT / Figure.median(prefill) / 1e12;
            report.addFigure(name + "_prefill_tflops", Figure.of("TFLOP/s", teraflops));
            progress.say(name + ", prefill of " + PROMPT + ": " + Math.round(teraflops) + " TFLOP/s in the products");
            copies(instance, report, progress, name, rounds);
        }
    }

    /** Blocks out and in, by the way that tiers take, beside plain copies of the same run. */
    private static void copies(ModelInstance instance, BenchReport report, Progress progress, String name, int rounds) {
        int bytes = instance.kvLayout().blockBytes();
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes);
        List<Double> out = new ArrayList<>();
        List<Double> in = new ArrayList<>();
        int blocks = (int) Math.min(BLOCK_COPIES, instance.blockCount());
        for (int round = -1; round < rounds; round++) {
            long startNanos = System.nanoTime();
            for (int block = 0; block < blocks; block++) {
                instance.readBlock(block, buffer.clear());
            }
            long middleNanos = System.nanoTime();
            for (int block = 0; block < blocks; block++) {
                instance.writeBlock(block, buffer.clear());
            }
            if (round >= 0) {
                out.add((double) blocks * bytes / (middleNanos - startNanos));
                in.add((double) blocks * bytes / (System.nanoTime() - middleNanos));
            }
        }
        report.addFigure(name + "_blocks_to_host_gb_per_second", new Figure("GB/s", out, List.of()));
        report.addFigure(name + "_blocks_to_device_gb_per_second", new Figure("GB/s", in, List.of()));
        progress.say(name + ", blocks of " + (bytes >> 10) + " KiB: " + Math.round(Figure.median(out)) + " GB/s out, "
                + Math.round(Figure.median(in)) + " in");
    }

    /** Bytes of the matrices that a step reads, as the file has them: the output matrix too, of the embedding a row. */
    private static double weightBytes(WeightSource weights) {
        TensorType type = weights.tensor("blk.0.attn_q.weight").type();
        return matrixElements(weights.spec()) * type.blockBytes() / type.blockElements();
    }

    private static double keyValueBytes(ModelInstance instance) {
        return (double) instance.kvLayout().blockBytes() / instance.kvLayout().blockSizeTokens();
    }

    private static double matrixElements(ModelSpec spec) {
        double width = spec.embeddingLength();
        double heads = (double) spec.headDim() * (2 * spec.headCount() + 2 * spec.kvHeadCount());
        return spec.layerCount() * (width * heads + 3 * width * spec.feedForwardLength()) + width * spec.vocabSize();
    }

    private static ModelSpec.Rope rope() {
        return new ModelSpec.Rope(ModelSpec.RopeStyle.INTERLEAVED, 128, 500_000f, 1f, new float[0]);
    }
}
