package io.millrace.backend.cuda.device;

/** Where a backend gets its devices from. */
public interface DeviceSource {
    /**
     * Number of devices.
     *
     * @throws io.millrace.kv.ServingException {@code UNAVAILABLE} saying why there is none
     */
    int deviceCount();

    /**
     * Opens a device and loads the kernels.
     *
     * @throws io.millrace.kv.ServingException {@code UNAVAILABLE} if there is no such device, or no kernels for it
     */
    Device open(int index);
}
