package io.millrace.backend.cuda;

import io.millrace.backend.cuda.device.Device;
import io.millrace.backend.cuda.weights.ModelWeights;
import io.millrace.backend.cuda.weights.OperandType;
import io.millrace.backend.cuda.weights.WeightLoader;
import io.millrace.backend.cuda.weights.WeightSource;
import io.millrace.engine.backend.KvPoolSize;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.KvBlockLayout;
import io.millrace.kv.ServingException;
import io.millrace.model.ModelSpec;
import io.millrace.model.ModelTensors;
import io.millrace.model.TensorType;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings one model to one device. */
final class InstanceLoader {
    private static final Logger LOG = LoggerFactory.getLogger(InstanceLoader.class);
    private static final AtomicInteger THREAD_NUMBER = new AtomicInteger();

    /** The order of the elements in a block, which is that of the kernels' fragments ({@code layout.cuh}). */
    private static final String BLOCK_FORMAT = "fragments/1";

    private static final int BLOCK_TOKENS_UNIT = 32;
    private static final int THREADS_MAX = 16;

    private final Device device;
    private final WeightSource source;
    private final Limits room;
    private final OperandType operand;

    InstanceLoader(Device device, WeightSource source, Limits room, OperandType operand) {
        this.device = device;
        this.source = source;
        this.room = room;
        this.operand = operand;
    }

    /** The type that a model's products have unless its settings say so: that of its file's matrices, if it is one. */
    static OperandType operandOf(WeightSource source) {
        TensorType type = source.tensor(ModelTensors.layer(0, "attn_q.weight")).type();
        return type == TensorType.F16 ? OperandType.F16 : OperandType.BF16;
    }

    static KvBlockLayout layout(ModelSpec spec, Limits limits, OperandType operand) {
        if (limits.blockSizeTokens() % BLOCK_TOKENS_UNIT != 0) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    "backend cuda needs KV blocks of a multiple of " + BLOCK_TOKENS_UNIT + " tokens, not "
                            + limits.blockSizeTokens());
        }
        return new KvBlockLayout(
                spec.layerCount(),
                spec.kvHeadCount(),
                spec.headDim(),
                limits.blockSizeTokens(),
                operand.element(),
                BLOCK_FORMAT);
    }

    CudaInstance load(KvPoolSize pool, int threadCount, boolean withGraphs) {
        ModelSpec spec = source.spec();
        KvBlockLayout layout = layout(spec, room, operand);
        WeightLoader loader = new WeightLoader(source, operand, room.maxModelTokens());
        StepArrays arrays = new StepArrays(room);
        long memoryBytes = new Buffers(spec, room, arrays, 0).byteCount;
        long freeForBlocks = freeForBlocks(loader.byteCount(), memoryBytes);
        Limits limits =
                room.withBlockCount(pool.deviceBlocks(layout, freeForBlocks, source.name() + " on " + device.name()));
        long blockBytes = (long) layout.blockBytes() * limits.blockCount();
        LOG.info(
                "{}: {} with {} MiB of weights, {} MiB for steps, {} KV blocks of {} KiB, {} operands",
                device.name(),
                source.name(),
                loader.byteCount() >> 20,
                memoryBytes >> 20,
                limits.blockCount(),
                layout.blockBytes() >> 10,
                operand.suffix());
        if (!loader.convertedTypes().isEmpty()) {
            LOG.info(
                    "{}: {} rounds weights of {} to {}: there are no kernels for those",
                    device.name(),
                    source.name(),
                    loader.convertedTypes(),
                    operand.suffix());
        }
        long weightsAddress = device.allocate(loader.byteCount());
        ModelWeights weights = load(loader, weightsAddress, Math.max(1, Math.min(threadCount, THREADS_MAX)));
        long memory = device.allocate(memoryBytes);
        Buffers buffers = new Buffers(spec, limits, arrays, memory);
        // All zero from the start: attention multiplies what it masks by zero, so that must be numbers.
        long kvBlocks = device.allocate(blockBytes);
        Kernels kernels = new Kernels(device, operand, spec);
        ForwardPass forward = new ForwardPass(spec, limits, layout, weights, buffers, arrays, kernels, kvBlocks);
        return new CudaInstance(
                device,
                spec,
                limits,
                layout,
                new LoadedModel(weightsAddress, memory, kvBlocks, arrays, buffers, forward),
                withGraphs,
                System::nanoTime);
    }

    private ModelWeights load(WeightLoader loader, long address, int threads) {
        ExecutorService executor = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "millrace-cuda-load-" + THREAD_NUMBER.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        try {
            return loader.load(device, address, executor, threads, line -> LOG.info("{}: {}", device.name(), line));
        } finally {
            executor.shutdown();
        }
    }

    private long freeForBlocks(long weightBytes, long memoryBytes) {
        long free = device.freeBytes();
        if (weightBytes + memoryBytes > free) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE,
                    source.name() + " needs " + (weightBytes >> 20) + " MiB for weights and " + (memoryBytes >> 20)
                            + " MiB for steps, but of the " + (device.totalBytes() >> 20) + " MiB of " + device.name()
                            + " only " + (free >> 20) + " MiB are free");
        }
        return free - weightBytes - memoryBytes;
    }
}
