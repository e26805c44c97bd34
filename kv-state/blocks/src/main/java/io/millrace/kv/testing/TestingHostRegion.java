package io.millrace.kv.testing;

import io.millrace.kv.host.HostRegion;
import java.nio.ByteBuffer;
import java.util.List;

/** Makes small regions of host memory that the garbage collector frees. */
public final class TestingHostRegion {
    private TestingHostRegion() {}

    /** A region of so many slots. */
    public static HostRegion of(int slotCount, int contentBytes) {
        return of(slotCount, contentBytes, () -> {});
    }

    /** A region of so many slots, which says when it is freed. */
    public static HostRegion of(int slotCount, int contentBytes, Runnable release) {
        ByteBuffer slab = ByteBuffer.allocateDirect(Math.toIntExact(HostRegion.slabBytes(slotCount, contentBytes)));
        return new HostRegion(List.of(slab), contentBytes, release);
    }
}
