package io.millrace.backend.cuda.device;

import java.nio.ByteBuffer;

/**
 * A device with memory of its own, streams, and the kernels of this project. Any thread may use it; what is asked of
 * one {@link DeviceStream} comes from one thread at a time.
 *
 * <p>Every error is a {@link io.millrace.kv.ServingException} that names the call. After a fault of a kernel, or when
 * the device is lost, {@link #fault} says so and every later call but {@link #close} fails at once: what is in the
 * device's memory cannot be trusted any more.
 */
public interface Device extends AutoCloseable {
    /** What it is, for logs: its product name and index. */
    String name();

    /** Its architecture, major version times ten plus minor: 80, 90. */
    int architecture();

    /** Number of its multiprocessors. */
    int multiprocessorCount();

    /** Bytes of memory that nothing has taken. */
    long freeBytes();

    /** Bytes of memory that it has. */
    long totalBytes();

    /**
     * Takes memory, all zero, aligned to 256 bytes.
     *
     * @return its address
     * @throws io.millrace.kv.ServingException {@code UNAVAILABLE} if there is not so much
     */
    long allocate(long bytes);

    /** Gives memory back that {@link #allocate} gave. */
    void free(long address);

    /** Allocates page-locked host memory, little-endian, for copies that run beside everything else. */
    ByteBuffer allocateHost(int bytes);

    /** Gives host memory back that {@link #allocateHost} gave; nothing may use it any more. */
    void freeHost(ByteBuffer buffer);

    /** Page-locks memory of the caller's: a direct buffer, whole, that stays reachable until it is unregistered. */
    void registerHost(ByteBuffer region);

    /** Ends {@link #registerHost}; no copy of it may run. */
    void unregisterHost(ByteBuffer region);

    /** Makes a stream. */
    DeviceStream newStream();

    /** Makes an event. */
    DeviceEvent newEvent();

    /**
     * Finds a kernel.
     *
     * @throws io.millrace.kv.ServingException {@code INTERNAL} if there is none of this name
     */
    DeviceKernel kernel(String name);

    /** Why nothing runs on this device any more, or an empty string. */
    String fault();

    /** Gives everything back. What runs has ended before. */
    @Override
    void close();
}
