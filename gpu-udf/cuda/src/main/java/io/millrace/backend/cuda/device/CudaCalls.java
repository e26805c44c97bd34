package io.millrace.backend.cuda.device;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.Set;
import jcuda.driver.CUresult;

/** What results of the driver's calls mean, and the fault that ends a context. */
final class CudaCalls {
    /** Results after which the driver refuses everything in the context, or the device is not there any more. */
    private static final Set<Integer> FAULTS = Set.of(
            CUresult.CUDA_ERROR_DEINITIALIZED,
            CUresult.CUDA_ERROR_NO_DEVICE,
            CUresult.CUDA_ERROR_ECC_UNCORRECTABLE,
            CUresult.CUDA_ERROR_NVLINK_UNCORRECTABLE,
            CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
            CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
            CUresult.CUDA_ERROR_CONTEXT_IS_DESTROYED,
            CUresult.CUDA_ERROR_ASSERT,
            CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
            CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
            CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
            CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
            CUresult.CUDA_ERROR_INVALID_PC,
            CUresult.CUDA_ERROR_LAUNCH_FAILED,
            CUresult.CUDA_ERROR_SYSTEM_NOT_READY,
            CUresult.CUDA_ERROR_UNKNOWN);

    private final String device;
    private volatile String fault = "";

    CudaCalls(String device) {
        this.device = device;
    }

    /** Why nothing runs any more, or an empty string. */
    String fault() {
        return fault;
    }

    /** Fails if nothing runs any more. */
    void checkAlive() {
        if (!fault.isEmpty()) {
            throw new ServingException(ErrorCode.INTERNAL, device + " is out of use since " + fault);
        }
    }

    /** Turns a call's result into an exception, unless it is success. */
    void check(int result, String call) {
        if (result == CUresult.CUDA_SUCCESS) {
            return;
        }
        String what = call + ": " + CUresult.stringFor(result);
        if (FAULTS.contains(result)) {
            fault = what;
        }
        ErrorCode code = result == CUresult.CUDA_ERROR_OUT_OF_MEMORY ? ErrorCode.UNAVAILABLE : ErrorCode.INTERNAL;
        throw new ServingException(code, device + ": " + what);
    }
}
