package io.millrace.text.tokenizer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The classes of code points that pre-tokenizers tell apart. They come from a table of our own and not from the JVM, so
 * that a text has the same tokens on every Java version.
 */
final class UnicodeClasses {
    /** {@code \p{L}}. */
    static final int LETTER = 1;
    /** {@code \p{N}}. */
    static final int NUMBER = 1 << 1;
    /** {@code \s}: White_Space. */
    static final int SPACE = 1 << 2;
    /** {@code \p{M}}. */
    static final int MARK = 1 << 3;
    /** {@code \p{P}}. */
    static final int PUNCTUATION = 1 << 4;
    /** {@code \p{Lu}\p{Lt}}. */
    static final int UPPER = 1 << 5;
    /** {@code \p{Ll}}. */
    static final int LOWER = 1 << 6;

    private static final String RESOURCE = "unicode-classes.txt";
    private static final int PAGE_BITS = 8;
    private static final int PAGE_SIZE = 1 << PAGE_BITS;
    private static final byte[][] PAGES = load();

    private UnicodeClasses() {}

    /** Returns the classes of a code point, a sum of the constants above. */
    static int of(int codePoint) {
        return PAGES[codePoint >> PAGE_BITS][codePoint & (PAGE_SIZE - 1)];
    }

    private static byte[][] load() {
        byte[] flat = new byte[Character.MAX_CODE_POINT + 1];
        try (InputStream stream = UnicodeClasses.class.getResourceAsStream(RESOURCE)) {
            if (stream == null) {
                throw new IllegalStateException("resource " + RESOURCE + " is missing");
            }
            fill(flat, new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        byte[][] pages = new byte[flat.length >> PAGE_BITS][];
        byte[] previous = new byte[0];
        for (int page = 0; page < pages.length; page++) {
            byte[] content = Arrays.copyOfRange(flat, page << PAGE_BITS, (page + 1) << PAGE_BITS);
            // Long stretches of one class, such as Han or the unassigned planes, share a page.
            previous = Arrays.equals(content, previous) ? previous : content;
            pages[page] = previous;
        }
        return pages;
    }

    private static void fill(byte[] flat, BufferedReader reader) throws IOException {
        int codePoint = 0;
        @Nullable String line;
        while ((line = reader.readLine()) != null) {
            if (line.startsWith("#")) {
                continue;
            }
            int runEnd = codePoint + Integer.parseInt(line.substring(2));
            Arrays.fill(flat, codePoint, runEnd, classes(line.charAt(0)));
            codePoint = runEnd;
        }
        if (codePoint != flat.length) {
            throw new IllegalStateException("resource " + RESOURCE + " ends at code point " + codePoint);
        }
    }

    private static byte classes(char letter) {
        return (byte)
                switch (letter) {
                    case 'W' -> SPACE;
                    case 'U' -> LETTER | UPPER;
                    case 'l' -> LETTER | LOWER;
                    case 'o' -> LETTER;
                    case 'M' -> MARK;
                    case 'N' -> NUMBER;
                    case 'P' -> PUNCTUATION;
                    case 'S', 'x' -> 0;
                    default -> throw new IllegalStateException("resource " + RESOURCE + " has class " + letter);
                };
    }
}
