package io.millrace.gateway;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** UTF-8 text that grows. Constant parts are appended as bytes, so that they are encoded only once. */
final class ByteBuilder {
    private static final int INITIAL_BYTES = 512;
    private static final byte[] DIGITS = "0123456789".getBytes(StandardCharsets.US_ASCII);

    private byte[] bytes = new byte[INITIAL_BYTES];
    private int size;

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    int size() {
        return size;
    }

    ByteBuilder append(byte[] part) {
        ensure(part.length);
        System.arraycopy(part, 0, bytes, size, part.length);
        size += part.length;
        return this;
    }

    ByteBuilder append(int number) {
        if (number < 0) {
            return append(utf8(Integer.toString(number)));
        }
        int length = 1;
        for (int rest = number; rest >= 10; rest /= 10) {
            length++;
        }
        ensure(length);
        int rest = number;
        for (int i = size + length - 1; i >= size; i--) {
            bytes[i] = DIGITS[rest % 10];
            rest /= 10;
        }
        size += length;
        return this;
    }

    /** Appends a JSON string, with its quotes. */
    ByteBuilder appendQuoted(String text) {
        byte[] quoted = JsonStringEncoder.getInstance().quoteAsUTF8(text);
        ensure(quoted.length + 2);
        bytes[size++] = '"';
        System.arraycopy(quoted, 0, bytes, size, quoted.length);
        size += quoted.length;
        bytes[size++] = '"';
        return this;
    }

    /** The bytes so far; the builder starts anew. */
    byte[] take() {
        byte[] taken = Arrays.copyOf(bytes, size);
        size = 0;
        return taken;
    }

    private void ensure(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }
}
