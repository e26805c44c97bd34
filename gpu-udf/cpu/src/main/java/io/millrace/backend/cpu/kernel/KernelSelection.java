package io.millrace.backend.cpu.kernel;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses the fastest kernels that the JVM and the machine have. */
public final class KernelSelection {
    private static final Logger LOG = LoggerFactory.getLogger(KernelSelection.class);
    private static final String VECTOR_MODULE = "jdk.incubator.vector";
    private static final String VECTOR_KERNELS = "io.millrace.backend.cpu.vector.VectorKernels";

    private KernelSelection() {}

    /** Returns the vector kernels where the JVM has the module and long enough vectors, the scalar ones otherwise. */
    public static Kernels select() {
        if (ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()) {
            LOG.warn(
                    "cpu kernels: scalar, several times slower than vector ones; start the JVM with --add-modules={}",
                    VECTOR_MODULE);
            return new ScalarKernels();
        }
        Kernels vector = createVectorKernels();
        Kernels chosen = vector == null ? new ScalarKernels() : vector;
        LOG.info("cpu kernels: {}", chosen.name());
        return chosen;
    }

    private static @Nullable Kernels createVectorKernels() {
        try {
            Class<?> type = Class.forName(VECTOR_KERNELS);
            MethodHandle factory =
                    MethodHandles.lookup().findStatic(type, "createIfSupported", MethodType.methodType(Kernels.class));
            return (Kernels) factory.invoke();
        } catch (Throwable e) {
            LOG.warn("cpu kernels: the vector kernels do not start here, so scalar ones run instead", e);
            return null;
        }
    }
}
