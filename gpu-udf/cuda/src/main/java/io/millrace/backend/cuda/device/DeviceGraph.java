package io.millrace.backend.cuda.device;

/** Work that was captured and is launched as one. */
public interface DeviceGraph extends AutoCloseable {
    /** Gives it back; no launch of it runs any more. */
    @Override
    void close();
}
