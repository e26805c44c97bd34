package io.millrace.gateway;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/** 128-bit names of content: SHA-256, cut, over parts whose lengths are hashed with them. */
final class ContentHash {
    private static final int HASH_BYTES = 16;

    private final MessageDigest digest;

    ContentHash() {
        try {
            this.digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    static String of(String... parts) {
        ContentHash hash = new ContentHash();
        for (String part : parts) {
            hash.add(part);
        }
        return hash.hex();
    }

    static String of(byte[] content) {
        return new ContentHash().add(content).hex();
    }

    /** A seed that two strings decide. */
    static long seed(String first, String second) {
        return Long.parseUnsignedLong(of("seed", first, second), 0, 16, 16);
    }

    ContentHash add(String part) {
        return add(part.getBytes(StandardCharsets.UTF_8));
    }

    ContentHash add(byte[] part) {
        int length = part.length;
        digest.update(
                new byte[] {(byte) (length >>> 24), (byte) (length >>> 16), (byte) (length >>> 8), (byte) length});
        digest.update(part);
        return this;
    }

    /** The hash of the parts added since the last call, as 32 hexadecimal digits. */
    String hex() {
        return HexFormat.of().formatHex(Arrays.copyOf(digest.digest(), HASH_BYTES));
    }
}
