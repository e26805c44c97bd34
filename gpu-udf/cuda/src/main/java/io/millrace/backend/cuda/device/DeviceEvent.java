package io.millrace.backend.cuda.device;

/** A mark in a stream's work. */
public interface DeviceEvent extends AutoCloseable {
    /** Waits until the stream has come to the mark that was recorded last; returns at once where there is none. */
    void synchronize();

    @Override
    void close();
}
