package io.millrace.model;

import static io.millrace.model.GgufErrors.invalidAt;
import static io.millrace.model.GgufErrors.shown;

import io.millrace.kv.ServingException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Reads a GGUF header forward; each read checks that its bytes are there. */
final class GgufCursor {
    private final Path file;
    private final ByteBuffer header;
    private final String endMeans;

    /**
     * @param header the file's first bytes, little-endian
     * @param endMeans what it means to come to the header's end, for messages
     */
    GgufCursor(Path file, ByteBuffer header, String endMeans) {
        this.file = file;
        this.header = header;
        this.endMeans = endMeans;
    }

    int offset() {
        return header.position();
    }

    int remaining() {
        return header.remaining();
    }

    int readInt(String what) {
        need(4, what);
        return header.getInt();
    }

    long readLong(String what) {
        need(8, what);
        return header.getLong();
    }

    /** Reads a count of things that take at least {@code bytesMin} bytes each. */
    int readCount(String what, int bytesMin, int countMax) {
        int at = offset();
        long count = readLong(what);
        long possible = Math.min(remaining() / bytesMin, countMax);
        if (count < 0 || count > possible) {
            throw invalidAt(
                    file,
                    at,
                    what + ": expected at most " + possible + " (" + bytesMin + " bytes each in " + remaining()
                            + " bytes, " + endMeans + "), found " + Long.toUnsignedString(count));
        }
        return (int) count;
    }

    String readString(String what, int bytesMax) {
        int length = readCount("length of " + what, 1, bytesMax);
        byte[] bytes = new byte[length];
        header.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    void skip(long bytes, String what) {
        need(bytes, what);
        header.position(offset() + (int) bytes);
    }

    private void need(long bytes, String what) {
        if (bytes > remaining()) {
            throw invalidAt(
                    file,
                    offset(),
                    "expected " + what + " (" + bytes + " bytes), found only " + remaining() + " bytes, " + endMeans);
        }
    }

    ServingException error(long at, String what, String name, String problem) {
        return invalidAt(file, at, what + " " + shown(name) + ": " + problem);
    }
}
