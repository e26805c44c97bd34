package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.KernelSelection;
import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.KvBlockLayout;
import io.millrace.kv.ServingException;
import io.millrace.model.ModelSpec;
import java.util.TreeSet;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs models on the host's processors: with the Vector API where the JVM has it, in plain Java otherwise. */
public final class CpuBackend implements Backend {
    private static final Logger LOG = LoggerFactory.getLogger(CpuBackend.class);
    private static final AtomicInteger THREAD_NUMBER = new AtomicInteger();

    private @Nullable Kernels kernels;

    /** For {@link java.util.ServiceLoader}: chooses the kernels when it is initialised. */
    public CpuBackend() {}

    /** With these kernels. */
    CpuBackend(Kernels kernels) {
        this.kernels = kernels;
    }

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public void initialize() {
        if (kernels == null) {
            kernels = KernelSelection.select();
        }
    }

    @Override
    public ModelInstance load(InstanceSpec instance) {
        Kernels chosen = kernels;
        if (chosen == null) {
            throw new IllegalStateException("the backend is not initialised");
        }
        if (!instance.parameters().isEmpty()) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    "backend cpu has no parameters of its own; it was given "
                            + new TreeSet<>(instance.parameters().keySet()));
        }
        ModelSpec spec = instance.model().spec();
        KvBlockLayout layout =
                new KvBlockLayout(spec.layerCount(), spec.kvHeadCount(), spec.headDim(), instance.blockSizeTokens());
        HostMemory.check(instance, layout);
        ComputeTeam team = new ComputeTeam(instance.threadCount(), threads());
        boolean loaded = false;
        try {
            DecoderWeights weights = new WeightLoader(instance.model(), chosen.tileLanes(), team).load();
            KvArena arena = new KvArena(layout, instance.pool().hostBlocks(layout));
            LOG.info(
                    "cpu model {}: {} MiB of weights, {} KV blocks of {} KiB, {} threads, {} kernels",
                    spec.name(),
                    weights.byteCount() >> 20,
                    arena.blockCount(),
                    layout.blockBytes() >> 10,
                    instance.threadCount(),
                    chosen.name());
            CpuInstance result = new CpuInstance(instance, weights, arena, team, chosen, System::nanoTime);
            loaded = true;
            return result;
        } catch (OutOfMemoryError e) {
            throw HostMemory.tooSmall(instance, layout, e);
        } finally {
            if (!loaded) {
                team.close();
            }
        }
    }

    private static ThreadFactory threads() {
        return task -> {
            Thread thread = new Thread(task, "millrace-cpu-" + THREAD_NUMBER.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    @Override
    public void shutDown() {
        // Instances own their threads and memory.
    }
}
