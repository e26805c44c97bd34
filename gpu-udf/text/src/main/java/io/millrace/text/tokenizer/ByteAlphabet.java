package io.millrace.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * GPT-2's alphabet of 256 printable characters, in which byte-level vocabularies write bytes: those that are printable
 * in Latin-1 stand for themselves, the others, in order, for U+0100 and on.
 */
final class ByteAlphabet {
    private static final char[] CHARS = new char[256];
    private static final short[] BYTES = new short[0x180];

    static {
        Arrays.fill(BYTES, (short) -1);
        int shifted = 0x100;
        for (int value = 0; value < 256; value++) {
            boolean printable = (value >= '!' && value <= '~') || (value >= 0xa1 && value <= 0xff && value != 0xad);
            CHARS[value] = (char) (printable ? value : shifted++);
            BYTES[CHARS[value]] = (short) value;
        }
    }

    private ByteAlphabet() {}

    /** Returns the character for a byte. */
    static char toChar(byte value) {
        return CHARS[value & 0xff];
    }

    /** Returns the characters for bytes. */
    static String toText(byte[] bytes, int start, int end) {
        char[] text = new char[end - start];
        for (int i = start; i < end; i++) {
            text[i - start] = toChar(bytes[i]);
        }
        return new String(text);
    }

    /** Returns the bytes that a text stands for; the text's own UTF-8 bytes if it is not all in the alphabet. */
    static byte[] toBytes(String text) {
        byte[] bytes = new byte[text.length()];
        for (int i = 0; i < bytes.length; i++) {
            char c = text.charAt(i);
            if (c >= BYTES.length || BYTES[c] < 0) {
                return text.getBytes(StandardCharsets.UTF_8);
            }
            bytes[i] = (byte) BYTES[c];
        }
        return bytes;
    }
}
