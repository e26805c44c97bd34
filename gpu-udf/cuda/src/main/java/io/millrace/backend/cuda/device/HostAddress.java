package io.millrace.backend.cuda.device;

import java.nio.ByteBuffer;
import jcuda.Pointer;

/** Pointers to the bytes of direct buffers. */
final class HostAddress {
    private HostAddress() {}

    /** Points to the byte at a buffer's position. */
    static Pointer pointer(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("the buffer must be direct: " + buffer);
        }
        // A slice starts where it starts, whatever JCuda makes of positions.
        return Pointer.to(buffer.slice());
    }

    /** A number that tells page-locked buffers apart. */
    static long of(ByteBuffer buffer) {
        return new Reader(Pointer.to(buffer.duplicate().clear().slice())).address();
    }

    /** Reads the address that a pointer to a direct buffer was made with. */
    private static final class Reader extends Pointer {
        Reader(Pointer pointer) {
            super(pointer);
        }

        long address() {
            return getNativePointer() + getByteOffset();
        }
    }
}
