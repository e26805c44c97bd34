package io.millrace.backend.cuda.testing;

import static java.util.Objects.requireNonNull;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.millrace.backend.cuda.device.Device;
import io.millrace.backend.cuda.device.DeviceEvent;
import io.millrace.backend.cuda.device.DeviceKernel;
import io.millrace.backend.cuda.device.DeviceStream;
import io.millrace.backend.cuda.device.HostAddress;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.TreeMap;

/**
 * A device whose memory is the host's and whose kernels are compiled for it. All that a stream is asked for is done at
 * once. Every copy and clear is checked to lie in memory that was allocated, and what lies behind an allocation is
 * checked when it is given back: a kernel that writes there fails the test that closes the device.
 */
public final class EmulatedDevice implements Device {
    private static final int ALIGNMENT = 256;
    private static final byte GUARD = (byte) 0xA5;

    private final EmulationLibrary library;
    private final long memoryBytes;
    private final Map<Long, Allocation> allocations = new TreeMap<>();
    private final Map<Long, ByteBuffer> hostMemory = new TreeMap<>();
    private final Map<Long, Integer> registered = new TreeMap<>();
    private long takenBytes;
    private volatile String fault = "";
    private boolean closed;

    private record Allocation(Memory memory, long start, long bytes) {}

    EmulatedDevice(EmulationLibrary library, long memoryBytes) {
        this.library = requireNonNull(library, "library");
        this.memoryBytes = memoryBytes;
    }

    EmulationLibrary library() {
        return library;
    }

    /** Ends all use of the device, as a fault of a kernel does. */
    public void fail(String why) {
        fault = why;
    }

    void checkAlive() {
        if (!fault.isEmpty()) {
            throw new ServingException(ErrorCode.INTERNAL, name() + " is out of use since " + fault);
        }
        if (closed) {
            throw new IllegalStateException("the device is closed");
        }
    }

    @Override
    public String name() {
        return "emulated device";
    }

    @Override
    public int architecture() {
        return 90;
    }

    @Override
    public int multiprocessorCount() {
        return 1;
    }

    @Override
    public synchronized long freeBytes() {
        return memoryBytes - takenBytes;
    }

    @Override
    public long totalBytes() {
        return memoryBytes;
    }

    @Override
    public synchronized long allocate(long bytes) {
        checkAlive();
        if (bytes > freeBytes()) {
            throw new ServingException(ErrorCode.UNAVAILABLE, name() + ": there is no memory for " + bytes + " bytes");
        }
        Memory memory = new Memory(bytes + 2 * ALIGNMENT);
        long address = Pointer.nativeValue(memory);
        long start = (address + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        memory.clear();
        memory.setMemory(start - address + bytes, ALIGNMENT, GUARD);
        allocations.put(start, new Allocation(memory, start, bytes));
        takenBytes += bytes;
        return start;
    }

    @Override
    public synchronized void free(long address) {
        checkAlive();
        Allocation allocation = allocations.remove(address);
        if (allocation == null) {
            throw new IllegalArgumentException("nothing is allocated there");
        }
        takenBytes -= allocation.bytes();
        checkGuard(allocation);
    }

    private static void checkGuard(Allocation allocation) {
        for (byte guard : new Pointer(allocation.start() + allocation.bytes()).getByteArray(0, ALIGNMENT)) {
            if (guard != GUARD) {
                throw new IllegalStateException("a kernel wrote behind " + allocation.bytes() + " bytes");
            }
        }
    }

    /** Checks that bytes of device memory lie in one allocation, and gives them. */
    synchronized ByteBuffer memory(long address, long bytes) {
        for (Allocation allocation : allocations.values()) {
            if (address >= allocation.start() && address + bytes <= allocation.start() + allocation.bytes()) {
                return new Pointer(address).getByteBuffer(0, bytes);
            }
        }
        throw new IllegalArgumentException(bytes + " bytes are not in the device's memory");
    }

    @Override
    public synchronized ByteBuffer allocateHost(int bytes) {
        checkAlive();
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
        hostMemory.put(HostAddress.of(buffer), buffer);
        return buffer;
    }

    @Override
    public synchronized void freeHost(ByteBuffer buffer) {
        if (hostMemory.remove(HostAddress.of(buffer.duplicate().position(0))) == null) {
            throw new IllegalArgumentException("not page-locked memory");
        }
    }

    @Override
    public synchronized void registerHost(ByteBuffer region) {
        checkAlive();
        registered.put(HostAddress.of(region), region.remaining());
    }

    @Override
    public synchronized void unregisterHost(ByteBuffer region) {
        if (registered.remove(HostAddress.of(region)) == null) {
            throw new IllegalArgumentException("not registered");
        }
    }

    /** Page-locked pieces that nobody has given back. */
    public synchronized int hostPieces() {
        return hostMemory.size() + registered.size();
    }

    @Override
    public DeviceStream newStream() {
        checkAlive();
        return new EmulatedStream(this);
    }

    @Override
    public DeviceEvent newEvent() {
        checkAlive();
        return new DeviceEvent() {
            @Override
            public void synchronize() {
                checkAlive();
            }

            @Override
            public void close() {
                // Nothing was taken.
            }
        };
    }

    /** A kernel of the library. */
    record EmulatedKernel(String name, int argumentBytes) implements DeviceKernel {}

    @Override
    public DeviceKernel kernel(String kernel) {
        checkAlive();
        int bytes = library.millrace_args_bytes(kernel);
        if (bytes < 0) {
            throw new ServingException(ErrorCode.INTERNAL, name() + ": there is no kernel " + kernel);
        }
        return new EmulatedKernel(kernel, bytes);
    }

    @Override
    public String fault() {
        return fault;
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            allocations.values().forEach(EmulatedDevice::checkGuard);
            allocations.clear();
        }
    }

    /** The address of a direct buffer's byte. */
    static Pointer pointer(ByteBuffer buffer) {
        return Native.getDirectBufferPointer(buffer.slice());
    }
}
