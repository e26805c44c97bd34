package io.millrace.backend.cuda.device;

import static java.util.Objects.requireNonNull;

import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.JCudaDriver;

/** A function of a loaded module. */
final class JcudaKernel implements DeviceKernel {
    /** Dynamic shared memory that a launch may have without asking. */
    private static final int SHARED_BYTES_DEFAULT = 48 * 1024;

    private final String name;
    private final CUfunction function;
    private int sharedBytesMax = SHARED_BYTES_DEFAULT;

    JcudaKernel(String name, CUfunction function) {
        this.name = requireNonNull(name, "name");
        this.function = requireNonNull(function, "function");
    }

    @Override
    public String name() {
        return name;
    }

    /** The function, once it may have so much dynamic shared memory. */
    synchronized CUfunction function(JcudaDevice device, int sharedBytes) {
        if (sharedBytes > sharedBytesMax) {
            device.check(
                    JCudaDriver.cuFuncSetAttribute(
                            function,
                            CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                            sharedBytes),
                    "cuFuncSetAttribute of " + name + " to " + sharedBytes + " bytes of shared memory");
            sharedBytesMax = sharedBytes;
        }
        return function;
    }
}
