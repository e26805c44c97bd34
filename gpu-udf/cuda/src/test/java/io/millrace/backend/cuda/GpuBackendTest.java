package io.millrace.backend.cuda;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import io.millrace.backend.cuda.device.JcudaDevices;
import io.millrace.kv.ServingException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** The same on a GPU, where there is one. With {@code -Dmillrace.gpu.required=true} there must be one. */
@Tag("gpu")
class GpuBackendTest extends BackendChecks {
    @BeforeAll
    static void thereIsADevice() {
        try {
            new JcudaDevices().deviceCount();
        } catch (ServingException e) {
            if (Boolean.getBoolean("millrace.gpu.required")) {
                fail("a GPU is required: " + e.getMessage(), e);
            }
            System.out.println("tests on a GPU are skipped: " + e.getMessage());
            abort("no GPU: " + e.getMessage());
        }
    }

    @Override
    CudaBackend backend() {
        return new CudaBackend();
    }
}
