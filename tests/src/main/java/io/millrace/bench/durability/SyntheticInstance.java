package io.millrace.bench.durability;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Consumer;

/**
 * A model that computes nothing, for measuring how its blocks are moved: gigabytes of them are there in no time. A
 * block is pseudo-random, so nothing makes it smaller; it is made from a seed when it is read, and the seed from the
 * block's tokens. A block that is written is checked: its content must be what its seed makes.
 */
final class SyntheticInstance implements ModelInstance {
    private static final int VOCAB_SIZE = 300;
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private final KvBlockLayout layout;
    private final AtomicLongArray seeds;

    /** An instance with so many blocks of a layout. */
    SyntheticInstance(int blockCount, KvBlockLayout layout) {
        this.layout = layout;
        this.seeds = new AtomicLongArray(blockCount);
    }

    @Override
    public ModelSpec modelSpec() {
        return TestingModelInstance.spec(VOCAB_SIZE);
    }

    @Override
    public KvBlockLayout kvLayout() {
        return layout;
    }

    @Override
    public int blockCount() {
        return seeds.length();
    }

    @Override
    public void warmUp(Consumer<String> progress) {
        progress.accept("nothing to warm up");
    }

    @Override
    public void execute(Batch batch, ForwardResult result) {
        for (int token = 0; token < batch.tokenCount; token++) {
            int block = batch.slotMapping[token] / layout.blockSizeTokens();
            boolean first = batch.positions[token] % layout.blockSizeTokens() == 0;
            long before = first ? batch.positions[token] : seeds.get(block);
            seeds.set(block, mix(before * GOLDEN + batch.tokenIds[token]));
        }
        for (int row = 0; row < batch.logitsCount; row++) {
            Arrays.fill(result.logits[row], 0, VOCAB_SIZE, 0);
            result.logits[row]['x'] = 1;
        }
    }

    @Override
    public void readBlock(int blockId, ByteBuffer target) {
        ByteBuffer content =
                target.slice(target.position(), layout.blockBytes()).order(ByteOrder.nativeOrder());
        long seed = seeds.get(blockId);
        content.putLong(0, seed);
        for (int at = Long.BYTES; at < layout.blockBytes(); at += Long.BYTES) {
            seed += GOLDEN;
            content.putLong(at, mix(seed));
        }
        target.position(target.position() + layout.blockBytes());
    }

    @Override
    public void writeBlock(int blockId, ByteBuffer source) {
        ByteBuffer content = source.slice().order(ByteOrder.nativeOrder());
        if (content.remaining() != layout.blockBytes()) {
            throw new IllegalArgumentException(
                    "a block has " + layout.blockBytes() + " bytes and not " + content.remaining());
        }
        long seed = content.getLong(0);
        seeds.set(blockId, seed);
        for (int at = Long.BYTES; at < layout.blockBytes(); at += Long.BYTES) {
            seed += GOLDEN;
            if (content.getLong(at) != mix(seed)) {
                throw new IllegalStateException("a block came back with another content at byte " + at);
            }
        }
    }

    @Override
    public void close() {
        // It holds nothing.
    }

    /** The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators). */
    private static long mix(long seed) {
        long value = (seed ^ (seed >>> 30)) * 0xBF58476D1CE4E5B9L;
        value = (value ^ (value >>> 27)) * 0x94D049BB133111EBL;
        return value ^ (value >>> 31);
    }
}
