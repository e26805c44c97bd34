package io.millrace.backend.sim;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Batch;
import io.millrace.kv.KvBlockLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The KV blocks of a simulated device. Instead of keys and values a slot holds its token and the hash of all tokens up
 * to it, which is a function of the hash before it, as keys and values are. So what a block holds depends on everything
 * before it, and a mistake of paging, of a tier or of a hand-over shows: each time a sequence computes, its blocks must
 * stand at their positions and continue each other, and a block that was copied in must be whole.
 *
 * <p>A block's bytes, when it is copied, are as many as the model's own keys and values:
 *
 * <pre>
 *   first position (4)  filled slots (4)  hashes (8 a slot)  tokens (4 a slot)  padding (8 a word)
 * </pre>
 *
 * <p>A word of the padding is a digest of what is before the padding, and where the word lies.
 */
final class SimBlocks {
    private static final int HEADER_BYTES = 2 * Integer.BYTES;
    private static final int SLOT_BYTES = Long.BYTES + Integer.BYTES;

    private final KvBlockLayout layout;
    private final int blockSize;
    private final long seed;
    private final int[] tokens;
    private final long[] hashes;
    private final int[] firstPositions;
    private final int[] filled;
    /** Blocks that were copied in and not looked at since. */
    private final boolean[] unchecked;

    SimBlocks(KvBlockLayout layout, int blockCount, long seed) {
        this.layout = requireNonNull(layout, "layout");
        this.seed = mix(seed);
        blockSize = layout.blockSizeTokens();
        tokens = new int[blockCount * blockSize];
        hashes = new long[blockCount * blockSize];
        firstPositions = new int[blockCount];
        filled = new int[blockCount];
        unchecked = new boolean[blockCount];
    }

    /** Whether a block of this layout has room for what it is to hold. */
    static boolean fits(KvBlockLayout layout) {
        return paddingStart(layout.blockSizeTokens()) + Long.BYTES <= layout.blockBytes();
    }

    private static int paddingStart(int blockSize) {
        int contentBytes = HEADER_BYTES + SLOT_BYTES * blockSize;
        return (contentBytes + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
    }

    int blockCount() {
        return filled.length;
    }

    /**
     * Writes the tokens of a batch's sequence to their slots.
     *
     * @return the hash of the sequence's tokens up to the last of them
     * @throws IllegalStateException if a slot is not the one that the block table says, or what is before the tokens is
     *     not there
     */
    long write(Batch batch, int sequence) {
        int from = batch.queryStart[sequence];
        int to = batch.queryStart[sequence + 1];
        int begin = batch.positions[from];
        long hash = seed;
        if (begin > 0) {
            int before = slot(batch, sequence, begin - 1);
            checkHolds(before / blockSize, begin - 1, sequence);
            hash = hashes[before];
        }
        for (int t = from; t < to; t++) {
            int position = begin + t - from;
            check(batch.positions[t] == position, sequence, position, "positions are not consecutive");
            int slot = slot(batch, sequence, position);
            check(batch.slotMapping[t] == slot, sequence, position, "its slot is not the block table's");
            hash = mix(hash + batch.tokenIds[t]);
            put(slot, position, batch.tokenIds[t], hash, sequence);
        }
        check(batch.contextLengths[sequence] == begin + to - from, sequence, begin, "the context has another length");
        return hash;
    }

    private void put(int slot, int position, int token, long hash, int sequence) {
        int block = slot / blockSize;
        int offset = slot % blockSize;
        if (offset == 0) {
            firstPositions[block] = position;
            unchecked[block] = false;
        } else {
            boolean continues = firstPositions[block] == position - offset && filled[block] >= offset;
            checkBlock(continues, sequence, position, block, "holds others before it");
        }
        // What was behind belongs to another end of the context.
        filled[block] = offset + 1;
        tokens[slot] = token;
        hashes[slot] = hash;
    }

    /**
     * Verifies what a sequence's block table leads to, once all sequences of the batch have written.
     *
     * @param hash what {@link #write} returned
     * @throws IllegalStateException if it is not the sequence's context
     */
    void verify(Batch batch, int sequence, long hash) {
        int length = batch.contextLengths[sequence];
        long before = seed;
        for (int position = 0; position < length; position += blockSize) {
            int slot = slot(batch, sequence, position);
            int block = slot / blockSize;
            int last = Math.min(position + blockSize, length) - 1;
            checkHolds(block, last, sequence);
            boolean continues = hashes[slot] == mix(before + tokens[slot]);
            checkBlock(continues, sequence, position, block, "does not continue the block before it");
            if (unchecked[block]) {
                verifyInside(block, sequence);
            }
            before = hashes[slot + last - position];
        }
        check(before == hash, sequence, length - 1, "another sequence wrote to its last block");
    }

    /** The hash of a sequence's tokens up to one of the batch, once it is written. */
    long hash(Batch batch, int sequence, int token) {
        check(token >= batch.queryStart[sequence], sequence, 0, "row " + token + " is another sequence's");
        return hashes[batch.slotMapping[token]];
    }

    private void verifyInside(int block, int sequence) {
        int first = block * blockSize;
        for (int slot = first + 1; slot < first + filled[block]; slot++) {
            boolean continues = hashes[slot] == mix(hashes[slot - 1] + tokens[slot]);
            checkBlock(continues, sequence, firstPositions[block] + slot - first, block, "came damaged");
        }
        unchecked[block] = false;
    }

    private void checkHolds(int block, int position, int sequence) {
        int offset = position % blockSize;
        if (filled[block] <= offset || firstPositions[block] != position - offset) {
            throw new IllegalStateException("sequence " + sequence + " of the batch, position " + position + ": block "
                    + block + " holds " + filled[block] + " tokens from position " + firstPositions[block] + " on");
        }
    }

    private int slot(Batch batch, int sequence, int position) {
        int entry = batch.blockTableStart[sequence] + position / blockSize;
        check(entry < batch.blockTableStart[sequence + 1], sequence, position, "the block table is too short");
        int block = batch.blockTables[entry];
        check(block >= 0 && block < filled.length, sequence, position, "there is no such block");
        return block * blockSize + position % blockSize;
    }

    /** Copies a block to a buffer's position; the position moves behind it. */
    void read(int block, ByteBuffer target) {
        ByteBuffer content =
                target.slice(target.position(), layout.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        content.putInt(firstPositions[block]).putInt(filled[block]);
        content.asLongBuffer().put(hashes, block * blockSize, blockSize);
        content.position(HEADER_BYTES + blockSize * Long.BYTES);
        content.asIntBuffer().put(tokens, block * blockSize, blockSize);
        long digest = digest(block);
        for (int at = paddingStart(blockSize); at < layout.blockBytes(); at += Long.BYTES) {
            content.putLong(at, digest + at);
        }
        target.position(target.position() + layout.blockBytes());
    }

    /**
     * Copies a block from a buffer, which is as it was afterwards. What is not whole becomes an empty block.
     *
     * @throws IllegalArgumentException if it is not as many bytes as a block has
     */
    void write(int block, ByteBuffer source) {
        if (source.remaining() != layout.blockBytes()) {
            throw new IllegalArgumentException("a block has " + layout.blockBytes() + " bytes, not " + source);
        }
        ByteBuffer content = source.slice().order(ByteOrder.LITTLE_ENDIAN);
        firstPositions[block] = content.getInt();
        filled[block] = content.getInt();
        content.asLongBuffer().get(hashes, block * blockSize, blockSize);
        content.position(HEADER_BYTES + blockSize * Long.BYTES);
        content.asIntBuffer().get(tokens, block * blockSize, blockSize);
        if (filled[block] < 0 || filled[block] > blockSize || !isWhole(content, digest(block))) {
            filled[block] = 0;
        }
        unchecked[block] = true;
    }

    private boolean isWhole(ByteBuffer content, long digest) {
        long differences = 0;
        for (int at = paddingStart(blockSize); at < layout.blockBytes(); at += Long.BYTES) {
            differences |= content.getLong(at) ^ (digest + at);
        }
        return differences == 0;
    }

    private long digest(int block) {
        int first = block * blockSize;
        int tokenBits = Arrays.hashCode(Arrays.copyOfRange(tokens, first, first + blockSize));
        int hashBits = Arrays.hashCode(Arrays.copyOfRange(hashes, first, first + blockSize));
        return mix(mix(firstPositions[block] + ((long) filled[block] << 32)) + tokenBits + ((long) hashBits << 32));
    }

    // A message is made when it is needed: these checks are for each block in each step.
    private static void checkBlock(boolean holds, int sequence, int position, int block, String otherwise) {
        if (!holds) {
            check(false, sequence, position, "block " + block + " " + otherwise);
        }
    }

    private static void check(boolean holds, int sequence, int position, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(
                    "sequence " + sequence + " of the batch, position " + position + ": " + otherwise);
        }
    }

    /** The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators). */
    static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
