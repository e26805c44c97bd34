package io.millrace.backend.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Writes a kernel's arguments: a struct of {@code abi.h}, member by member, filled up to a multiple of 8 bytes. */
final class Arguments {
    private static final int BYTES_MAX = 512;

    private final ByteBuffer memory = ByteBuffer.allocateDirect(BYTES_MAX).order(ByteOrder.LITTLE_ENDIAN);

    /** Begins a struct. */
    Arguments begin() {
        memory.clear();
        return this;
    }

    Arguments address(long value) {
        assert memory.position() % Long.BYTES == 0 : "an address at " + memory.position();
        memory.putLong(value);
        return this;
    }

    Arguments int64(long value) {
        return address(value);
    }

    Arguments int32(int value) {
        memory.putInt(value);
        return this;
    }

    Arguments float32(float value) {
        memory.putFloat(value);
        return this;
    }

    /** The whole struct. */
    ByteBuffer end() {
        while (memory.position() % Long.BYTES != 0) {
            memory.put((byte) 0);
        }
        return memory.flip();
    }
}
