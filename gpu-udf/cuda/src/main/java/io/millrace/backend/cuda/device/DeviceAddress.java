package io.millrace.backend.cuda.device;

import jcuda.driver.CUdeviceptr;

/** A device pointer whose address can be read and chosen: addresses are plain numbers above this package. */
final class DeviceAddress extends CUdeviceptr {
    DeviceAddress() {}

    DeviceAddress(long address) {
        super(new CUdeviceptr(), address);
    }

    long address() {
        return getNativePointer() + getByteOffset();
    }
}
