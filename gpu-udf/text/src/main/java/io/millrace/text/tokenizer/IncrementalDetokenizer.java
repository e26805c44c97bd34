package io.millrace.text.tokenizer;

import static java.util.Objects.requireNonNull;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Turns tokens into text as they come: bytes that may yet become a character are held back. What is returned, joined,
 * is the text of all tokens together. Used by one thread.
 */
public final class IncrementalDetokenizer {
    /** Most bytes that can be held back: all but the last of a character. */
    private static final int HELD_BYTES_MAX = 3;

    private final Tokenizer tokenizer;
    private final boolean skipSpecial;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private final byte[] held = new byte[HELD_BYTES_MAX];
    private int heldCount;
    private boolean atStart = true;

    /**
     * Starts a text.
     *
     * @param skipSpecial whether special tokens are left out
     */
    public IncrementalDetokenizer(Tokenizer tokenizer, boolean skipSpecial) {
        this.tokenizer = requireNonNull(tokenizer, "tokenizer");
        this.skipSpecial = skipSpecial;
    }

    /** Takes the next token; returns the text that is now certain, which may be empty. */
    public String accept(int tokenId) {
        boolean special = tokenizer.isSpecial(tokenId);
        if (special && skipSpecial) {
            return "";
        }
        byte[] bytes = tokenizer.tokenBytes(tokenId);
        boolean prefixed = atStart && !special && tokenizer.addSpacePrefix() && bytes.length > 0 && bytes[0] == ' ';
        atStart = false;
        int skipped = prefixed ? 1 : 0;
        if (heldCount == 0 && isAscii(bytes)) {
            return new String(bytes, skipped, bytes.length - skipped, StandardCharsets.US_ASCII);
        }
        ByteBuffer input = ByteBuffer.allocate(heldCount + bytes.length - skipped);
        input.put(held, 0, heldCount)
                .put(bytes, skipped, bytes.length - skipped)
                .flip();
        CharBuffer output = CharBuffer.allocate(input.remaining() + 1);
        decoder.decode(input, output, false);
        heldCount = input.remaining();
        input.get(held, 0, heldCount);
        return output.flip().toString();
    }

    /** Ends the text: returns U+FFFD for bytes that were held back in vain. Another text may follow. */
    public String flush() {
        String rest = new String(held, 0, heldCount, StandardCharsets.UTF_8);
        heldCount = 0;
        atStart = true;
        decoder.reset();
        return rest;
    }

    private static boolean isAscii(byte[] bytes) {
        for (byte value : bytes) {
            if (value < 0) {
                return false;
            }
        }
        return true;
    }
}
