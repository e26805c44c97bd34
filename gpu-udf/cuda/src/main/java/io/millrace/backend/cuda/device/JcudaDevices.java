package io.millrace.backend.cuda.device;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.nio.charset.StandardCharsets;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** The GPUs that NVIDIA's driver knows on this host. */
public final class JcudaDevices implements DeviceSource {
    private final KernelResources resources;

    /** Devices with the kernels of this jar. */
    public JcudaDevices() {
        this(KernelResources.ofJar());
    }

    JcudaDevices(KernelResources resources) {
        this.resources = resources;
    }

    @Override
    public int deviceCount() {
        resources.families();
        int[] count = {0};
        try {
            // Results are looked at one by one: JCuda's exceptions do not say which they are.
            JCudaDriver.setExceptionsEnabled(false);
            checkDriver(JCudaDriver.cuInit(0), "cuInit");
            checkDriver(JCudaDriver.cuDeviceGetCount(count), "cuDeviceGetCount");
        } catch (LinkageError e) {
            throw new ServingException(ErrorCode.UNAVAILABLE, "NVIDIA's driver cannot be loaded: " + reason(e), e);
        }
        if (count[0] == 0) {
            throw new ServingException(ErrorCode.UNAVAILABLE, "NVIDIA's driver knows no device");
        }
        return count[0];
    }

    private static void checkDriver(int result, String call) {
        if (result != CUresult.CUDA_SUCCESS) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE, "NVIDIA's driver: " + call + ": " + CUresult.stringFor(result));
        }
    }

    /** Of the many lines of JCuda's message, the one on what is missing. */
    private static String reason(LinkageError e) {
        String message = String.valueOf(e.getMessage());
        return message.lines()
                .map(String::strip)
                .filter(line -> line.contains("libcuda"))
                .findFirst()
                .orElseGet(() -> message.lines().findFirst().orElse(message));
    }

    @Override
    public Device open(int index) {
        int count = deviceCount();
        if (index < 0 || index >= count) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE, "there is no cuda device " + index + "; there are " + count);
        }
        return JcudaDevice.open(index, new CudaCalls("cuda device " + index), resources);
    }

    /** The text of a C string. */
    static String text(byte[] bytes) {
        int length = 0;
        while (length < bytes.length && bytes[length] != 0) {
            length++;
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }
}
