package io.millrace.backend.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.backend.cuda.testing.EmulatedDevices;
import io.millrace.backend.cuda.testing.EmulationLibrary;
import org.junit.jupiter.api.BeforeAll;

/** The kernels' own source, and everything of the backend but the driver, on the host. */
class EmulatedBackendTest extends BackendChecks {
    @BeforeAll
    static void isBuilt() {
        assumeTrue(EmulationLibrary.isBuilt(), "the CUDA kernels were not compiled for the host: there was no g++");
    }

    @Override
    CudaBackend backend() {
        return new CudaBackend("cuda-emulated", new EmulatedDevices(2L << 30, device -> device));
    }
}
