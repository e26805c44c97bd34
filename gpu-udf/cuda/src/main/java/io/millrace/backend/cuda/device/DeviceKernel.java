package io.millrace.backend.cuda.device;

/** A kernel that can be launched. */
public interface DeviceKernel {
    /** Its entry's name. */
    String name();
}
