package io.millrace.backend.cuda.testing;

import io.millrace.backend.cuda.device.Device;
import io.millrace.backend.cuda.device.DeviceSource;
import java.util.function.UnaryOperator;

/** One device that is emulated. */
public final class EmulatedDevices implements DeviceSource {
    private final long memoryBytes;
    private final UnaryOperator<Device> decorator;

    /** A device with a gigabyte of memory. */
    public EmulatedDevices() {
        this(1L << 30, device -> device);
    }

    /** A device with so much memory, and something around it that sees its calls. */
    public EmulatedDevices(long memoryBytes, UnaryOperator<Device> decorator) {
        this.memoryBytes = memoryBytes;
        this.decorator = decorator;
    }

    @Override
    public int deviceCount() {
        EmulationLibrary.load();
        return 1;
    }

    @Override
    public Device open(int index) {
        return decorator.apply(new EmulatedDevice(EmulationLibrary.load(), memoryBytes));
    }
}
