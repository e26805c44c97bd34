package io.millrace.backend.cuda;

/** Cuts one allocation into pieces. Made twice: to learn how much it is, and once it is there. */
final class DeviceRange {
    /** What every piece's address is a multiple of. */
    private static final int ALIGNMENT = 256;

    private final long base;
    private long next;

    DeviceRange(long base) {
        this.base = base;
        this.next = base;
    }

    long take(long bytes) {
        long address = next;
        next = Math.addExact(next, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        return address;
    }

    long byteCount() {
        return next - base;
    }
}
