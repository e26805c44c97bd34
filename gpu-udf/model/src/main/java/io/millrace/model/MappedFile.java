package io.millrace.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file mapped read-only, of any size.
 *
 * <p>A buffer's index is an int, so the file is mapped as windows that start every {@link #WINDOW_STRIDE_BYTES} and are
 * up to twice as long: each slice of at most a stride lies within the window that it starts in. The mapping goes when
 * no slice is reachable any more; unmapping it earlier would crash whoever still reads.
 */
final class MappedFile {
    /** The longest slice. */
    static final long WINDOW_STRIDE_BYTES = 1L << 30;

    /** Windows take address space, twice the file's size. */
    private static final long FILE_BYTES_MAX = 1L << 44;

    private final Path path;
    private final long size;
    private final long stride;
    private final ByteBuffer[] windows;

    private MappedFile(Path path, long size, long stride, ByteBuffer[] windows) {
        this.path = path;
        this.size = size;
        this.stride = stride;
        this.windows = windows;
    }

    static MappedFile open(Path path) throws IOException {
        return open(path, WINDOW_STRIDE_BYTES);
    }

    /** Maps with a smaller stride, so that tests cross windows without a file of gigabytes. */
    static MappedFile open(Path path, long stride) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size > FILE_BYTES_MAX) {
                throw new IOException("expected at most " + FILE_BYTES_MAX + " bytes, found " + size);
            }
            int count = Math.toIntExact((size + stride - 1) / stride);
            ByteBuffer[] windows = new ByteBuffer[count];
            for (int i = 0; i < count; i++) {
                long start = i * stride;
                long length = Math.min(Math.min(2 * stride, Integer.MAX_VALUE), size - start);
                windows[i] = channel.map(FileChannel.MapMode.READ_ONLY, start, length);
            }
            return new MappedFile(path, size, stride, windows);
        }
    }

    Path path() {
        return path;
    }

    long size() {
        return size;
    }

    /** The longest slice that {@link #slice} gives at every offset. */
    long sliceBytesMax() {
        return Math.min(stride, Integer.MAX_VALUE - stride);
    }

    /** Returns a read-only little-endian view; position 0 is the file's byte {@code offset}. */
    ByteBuffer slice(long offset, long length) {
        if (offset < 0 || length < 0 || length > sliceBytesMax() || offset > size - length) {
            throw new IndexOutOfBoundsException(
                    path + ": bytes " + offset + " + " + length + " of a file of " + size + " bytes");
        }
        if (length == 0) {
            return ByteBuffer.allocate(0).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
        }
        int window = Math.toIntExact(offset / stride);
        int start = Math.toIntExact(offset - window * stride);
        return windows[window].slice(start, (int) length).order(ByteOrder.LITTLE_ENDIAN);
    }
}
