package io.millrace.backend.cuda.device;

import java.lang.reflect.Field;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import jcuda.Pointer;
import sun.misc.Unsafe;

/** Where direct buffers lie. */
public final class HostAddress {
    private static final Unsafe UNSAFE;
    private static final long ADDRESS_OFFSET;

    static {
        try {
            Field instance = Unsafe.class.getDeclaredField("theUnsafe");
            instance.setAccessible(true);
            UNSAFE = (Unsafe) instance.get(null);
            ADDRESS_OFFSET = UNSAFE.objectFieldOffset(Buffer.class.getDeclaredField("address"));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private HostAddress() {}

    /**
     * The address of the byte at a buffer's position.
     *
     * @throws IllegalArgumentException if the buffer is not direct
     */
    public static long of(ByteBuffer buffer) {
        checkDirect(buffer);
        return UNSAFE.getLong(buffer, ADDRESS_OFFSET) + buffer.position();
    }

    /** Points to the byte at a buffer's position. */
    static Pointer pointer(ByteBuffer buffer) {
        checkDirect(buffer);
        // A slice starts where it starts, whatever JCuda makes of positions.
        return Pointer.to(buffer.slice());
    }

    private static void checkDirect(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("the buffer must be direct: " + buffer);
        }
    }
}
