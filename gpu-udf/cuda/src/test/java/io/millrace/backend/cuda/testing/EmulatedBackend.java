package io.millrace.backend.cuda.testing;

import io.millrace.backend.cuda.CudaBackend;
import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.BackendAvailability;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;

/** The CUDA backend over an emulated device: all of it but the driver. */
public final class EmulatedBackend implements Backend {
    private final CudaBackend backend = new CudaBackend("cuda-emulated", new EmulatedDevices());

    @Override
    public String name() {
        return backend.name();
    }

    @Override
    public BackendAvailability availability() {
        return backend.availability();
    }

    @Override
    public void initialize() {
        backend.initialize();
    }

    @Override
    public ModelInstance load(InstanceSpec spec) {
        return backend.load(spec);
    }

    @Override
    public void shutDown() {
        backend.shutDown();
    }
}
