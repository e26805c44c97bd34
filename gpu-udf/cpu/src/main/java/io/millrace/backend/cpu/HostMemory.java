package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.MatrixPacker;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.KvBlockLayout;
import io.millrace.kv.ServingException;
import io.millrace.model.GgufTensor;
import org.jspecify.annotations.Nullable;

/** Tells before loading whether a model and its KV blocks fit the JVM's heap. */
final class HostMemory {
    private HostMemory() {}

    /**
     * Refuses an instance that cannot fit.
     *
     * @throws ServingException {@code UNAVAILABLE} with what is needed and what there is
     */
    static void check(InstanceSpec instance, KvBlockLayout layout) {
        long weights = weightBytes(instance);
        long blocks = blockBytes(instance, layout);
        long heap = Runtime.getRuntime().maxMemory();
        if (weights + blocks > heap) {
            throw tooSmall(instance, layout, weights, null);
        }
    }

    /** The error of an instance that does not fit, found out before or while it was loaded. */
    static ServingException tooSmall(InstanceSpec instance, KvBlockLayout layout, OutOfMemoryError cause) {
        return tooSmall(instance, layout, weightBytes(instance), cause);
    }

    private static ServingException tooSmall(
            InstanceSpec instance, KvBlockLayout layout, long weights, @Nullable OutOfMemoryError cause) {
        return new ServingException(
                ErrorCode.UNAVAILABLE,
                instance.model().file() + " needs " + (weights >> 20) + " MiB for weights and "
                        + (blockBytes(instance, layout) >> 20)
                        + " MiB for " + instance.pool().hostBlocks(layout)
                        + " KV blocks, but the JVM's heap is limited to "
                        + (Runtime.getRuntime().maxMemory() >> 20) + " MiB: raise -Xmx, or have fewer blocks",
                cause);
    }

    private static long weightBytes(InstanceSpec instance) {
        long weights = 0;
        for (GgufTensor tensor : instance.model().tensors()) {
            weights += MatrixPacker.packedBytes(tensor);
        }
        return weights;
    }

    private static long blockBytes(InstanceSpec instance, KvBlockLayout layout) {
        return (long) layout.blockBytes() * instance.pool().hostBlocks(layout);
    }
}
