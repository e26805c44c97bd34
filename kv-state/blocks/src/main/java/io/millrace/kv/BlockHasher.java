package io.millrace.kv;

import static java.util.Objects.requireNonNull;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Computes the chain of hashes that names the blocks of a token sequence:
 *
 * <pre>
 *   root    = SHA-256(domain, block size, model fingerprint, cache salt)
 *   hash[0] = SHA-256(root, tokens of block 0)
 *   hash[i] = SHA-256(hash[i-1], tokens of block i)
 * </pre>
 *
 * <p>Every field has a fixed length or its length before it, so no two inputs read the same. Not safe for several
 * threads: each has its own.
 */
public final class BlockHasher {
    private static final byte[] DOMAIN = "millrace/kv/1".getBytes(StandardCharsets.US_ASCII);

    private final int blockSizeTokens;
    private final MessageDigest digest;
    private final byte[] hashBytes = new byte[BlockHash.BYTES];
    private final byte[] input;
    private final ByteBuffer inputBuffer;

    /** A hasher of blocks of so many tokens. */
    public BlockHasher(int blockSizeTokens) {
        if (blockSizeTokens <= 0) {
            throw new IllegalArgumentException("blockSizeTokens must be positive: " + blockSizeTokens);
        }
        this.blockSizeTokens = blockSizeTokens;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        input = new byte[BlockHash.BYTES + blockSizeTokens * Integer.BYTES];
        inputBuffer = ByteBuffer.wrap(input);
    }

    /** Tokens of a block. */
    public int blockSizeTokens() {
        return blockSizeTokens;
    }

    /** The parent of first blocks: isolates models and tenants from each other. */
    public BlockHash root(String modelFingerprint, String cacheSalt) {
        byte[] fingerprintBytes =
                requireNonNull(modelFingerprint, "modelFingerprint").getBytes(StandardCharsets.UTF_8);
        byte[] saltBytes = requireNonNull(cacheSalt, "cacheSalt").getBytes(StandardCharsets.UTF_8);
        digest.reset();
        digest.update(DOMAIN);
        digest.update(ByteBuffer.allocate(2 * Integer.BYTES)
                .putInt(blockSizeTokens)
                .putInt(fingerprintBytes.length)
                .flip());
        digest.update(fingerprintBytes);
        digest.update(
                ByteBuffer.allocate(Integer.BYTES).putInt(saltBytes.length).flip());
        digest.update(saltBytes);
        return BlockHash.fromBytes(digest.digest());
    }

    /** The hash of the block whose tokens begin at {@code tokens[from]} and whose parent is {@code parent}. */
    public BlockHash child(BlockHash parent, int[] tokens, int from) {
        inputBuffer
                .clear()
                .putLong(parent.bits0())
                .putLong(parent.bits1())
                .putLong(parent.bits2())
                .putLong(parent.bits3());
        for (int i = 0; i < blockSizeTokens; i++) {
            inputBuffer.putInt(tokens[from + i]);
        }
        digest.reset();
        digest.update(input);
        try {
            digest.digest(hashBytes, 0, hashBytes.length);
        } catch (DigestException e) {
            throw new IllegalStateException("a SHA-256 has 32 bytes", e);
        }
        return BlockHash.fromBytes(hashBytes);
    }
}
