package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.MatrixPacker;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.KvBlockLayout;
import io.millrace.kv.ServingException;
import io.millrace.model.GgufTensor;

/** Tells before loading whether a model and its KV blocks fit the JVM's heap. */
final class HostMemory {
    private HostMemory() {}

    /**
     * Refuses an instance that cannot fit.
     *
     * @throws ServingException {@code UNAVAILABLE} with what is needed and what there is
     */
    static void check(InstanceSpec instance, KvBlockLayout layout) {
        long weights = 0;
        for (GgufTensor tensor : instance.model().tensors()) {
            weights += MatrixPacker.packedBytes(tensor);
        }
        long blocks = 4L * layout.blockElements() * instance.blockCount();
        long heap = Runtime.getRuntime().maxMemory();
        if (weights + blocks > heap) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE,
                    instance.model().file() + " needs " + (weights >> 20) + " MiB for weights and " + (blocks >> 20)
                            + " MiB for " + instance.blockCount() + " KV blocks, but the JVM's heap is limited to "
                            + (heap >> 20) + " MiB: raise -Xmx, or have fewer blocks");
        }
    }
}
