package io.millrace.backend.cuda.device;

import static java.util.Objects.requireNonNull;

import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/** A driver's event, without timing. */
final class JcudaEvent implements DeviceEvent {
    private final JcudaDevice device;
    private final CUevent event = new CUevent();

    JcudaEvent(JcudaDevice device) {
        this.device = requireNonNull(device, "device");
        device.enter();
        device.check(JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING), "cuEventCreate");
    }

    CUevent event() {
        return event;
    }

    @Override
    public void synchronize() {
        device.enter();
        device.check(JCudaDriver.cuEventSynchronize(event), "cuEventSynchronize");
    }

    @Override
    public void close() {
        device.enter();
        device.check(JCudaDriver.cuEventDestroy(event), "cuEventDestroy");
    }
}
