package io.millrace.backend.cuda.device;

import java.nio.ByteBuffer;

/**
 * Work that runs in the order it was asked for, beside the caller and other streams. Buffers are direct, and neither
 * they nor what they hold may change until the work has run; their positions are left alone.
 */
public interface DeviceStream extends AutoCloseable {
    /** Copies the source's bytes, from its position to its limit, to device memory. */
    void copyToDevice(long target, ByteBuffer source);

    /** Copies device memory to the target's bytes, from its position to its limit. */
    void copyToHost(ByteBuffer target, long source);

    /** Copies within device memory. */
    void copy(long target, long source, long bytes);

    /** Sets device memory to zero. */
    void clear(long target, long bytes);

    /**
     * Launches a kernel.
     *
     * @param arguments the kernel's one argument, a little-endian struct as in {@code abi.h}, from the buffer's start
     *     to its limit; may change once this returns
     */
    void launch(DeviceKernel kernel, LaunchShape shape, ByteBuffer arguments);

    /** Marks this place in the stream's work. */
    void record(DeviceEvent event);

    /** Has later work wait until an event's last mark is reached. */
    void waitFor(DeviceEvent event);

    /** Waits until all work has run. */
    void synchronize();

    /** Begins to keep launches, copies and clears instead of running them. */
    void beginCapture();

    /** Ends what {@link #beginCapture} began. */
    DeviceGraph endCapture();

    /** Runs what was captured. */
    void launch(DeviceGraph graph);

    /** Gives the stream back; its work has run before. */
    @Override
    void close();
}
