package io.millrace.bench.cluster;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * A model that computes nothing and whose blocks have a real one's size: they are copied from memory that no cache of
 * the processor holds, and what is copied in is only read.
 */
final class HandoverInstance implements ModelInstance {
    private static final int VOCAB_SIZE = 300;
    private static final int DISTINCT_BLOCKS = 48;

    private final KvBlockLayout layout;
    private final int blockCount;
    private final byte[] content;

    HandoverInstance(int blockCount, KvBlockLayout layout) {
        this.layout = layout;
        this.blockCount = blockCount;
        content = new byte[DISTINCT_BLOCKS * layout.blockBytes()];
        new SplittableRandom(1).nextBytes(content);
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
        return blockCount;
    }

    @Override
    public void warmUp(Consumer<String> progress) {
        progress.accept("nothing to warm up");
    }

    @Override
    public void execute(Batch batch, ForwardResult result) {
        for (int row = 0; row < batch.logitsCount; row++) {
            Arrays.fill(result.logits[row], 0, VOCAB_SIZE, 0);
            result.logits[row]['x'] = 1;
        }
    }

    @Override
    public void readBlock(int blockId, ByteBuffer target) {
        target.put(content, blockId % DISTINCT_BLOCKS * layout.blockBytes(), layout.blockBytes());
    }

    @Override
    public void writeBlock(int blockId, ByteBuffer source) {
        if (source.remaining() != layout.blockBytes()) {
            throw new IllegalArgumentException("a block has " + layout.blockBytes() + " bytes, not " + source);
        }
    }

    @Override
    public void close() {
        // It holds nothing.
    }
}
