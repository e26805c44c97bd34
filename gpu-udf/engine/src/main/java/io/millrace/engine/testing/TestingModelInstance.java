package io.millrace.engine.testing;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.CopyGate;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.engine.backend.PlainSampler;
import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * A model without weights that notices every mistake of paging. Its "keys and values" are the token and the position
 * that were written to a slot; its logits are a function of the tokens that it reads back through the block table. So a
 * wrong slot, a stale block or a lost token changes the output, and a position that is not what it should be is an
 * error. The content of a block is the bits of its tokens, and then of their positions, so a damaged one is found out
 * in the same ways.
 */
public final class TestingModelInstance implements ModelInstance {
    /** Tokens of the vocabulary, where nothing else is said. */
    public static final int VOCAB_SIZE = 300;

    private static final int EMPTY = -1;

    private final ModelSpec spec;
    private final KvBlockLayout layout;
    private final int blockCount;
    private final TestingLogits logits;
    private final int[] slotTokens;
    private final int[] slotPositions;
    private int[] context = new int[1024];
    private Consumer<Batch> observer = batch -> {};
    private boolean samples;
    private final CopyGate copies = new CopyGate();

    /** An instance whose logits are pseudo-random: a hash of the context. */
    public TestingModelInstance(int blockCount, int blockSizeTokens) {
        this(VOCAB_SIZE, blockCount, blockSizeTokens, TestingLogits.HASHED);
    }

    /** An instance with logits of the test's own. */
    public TestingModelInstance(int vocabSize, int blockCount, int blockSizeTokens, TestingLogits logits) {
        this(vocabSize, blockCount, new KvBlockLayout(1, 1, 1, blockSizeTokens), logits);
    }

    /** An instance that says of its blocks that they are laid out so; each token takes eight bytes of them. */
    public TestingModelInstance(int vocabSize, int blockCount, KvBlockLayout layout, TestingLogits logits) {
        this.logits = requireNonNull(logits, "logits");
        this.blockCount = blockCount;
        this.layout = requireNonNull(layout, "layout");
        spec = spec(vocabSize);
        int blockSizeTokens = layout.blockSizeTokens();
        check(layout.blockBytes() >= 2 * Integer.BYTES * blockSizeTokens, "blocks are too small");
        slotTokens = new int[blockCount * blockSizeTokens];
        slotPositions = new int[blockCount * blockSizeTokens];
        Arrays.fill(slotPositions, EMPTY);
    }

    /** A spec for tests that need one: a very small llama. */
    public static ModelSpec spec(int vocabSize) {
        ModelSpec.Rope rope = new ModelSpec.Rope(ModelSpec.RopeStyle.INTERLEAVED, 2, 10_000, 1, new float[0]);
        return new ModelSpec(
                "llama",
                "testing",
                vocabSize,
                1,
                2,
                2,
                1,
                1,
                2,
                1 << 20,
                1e-5f,
                rope,
                rope,
                0,
                1,
                ModelSpec.Activation.SILU,
                false,
                false,
                false,
                1,
                1,
                true);
    }

    /** Calls a test back with each batch before it is executed; what it throws is the backend's failure. */
    public void observe(Consumer<Batch> batchObserver) {
        observer = requireNonNull(batchObserver, "batchObserver");
    }

    /** Has the instance choose tokens itself where it is asked to, from now on. Before an engine has it. */
    public TestingModelInstance sampling() {
        samples = true;
        return this;
    }

    /** Whether the instance was closed. */
    public boolean isClosed() {
        return copies.isClosed();
    }

    @Override
    public ModelSpec modelSpec() {
        return spec;
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
    public boolean samples() {
        return samples;
    }

    @Override
    public void warmUp(Consumer<String> progress) {
        progress.accept("nothing to warm up");
    }

    @Override
    public void execute(Batch batch, ForwardResult result) {
        check(!isClosed(), "a batch is executed after the instance was closed");
        observer.accept(batch);
        check(
                batch.queryStart[batch.sequenceCount] == batch.tokenCount,
                "the last sequence does not end with the batch");
        int logitsIndex = 0;
        for (int i = 0; i < batch.sequenceCount; i++) {
            writeTokens(batch, i);
        }
        // Reads come after all writes: a sequence that writes into another's block is found out.
        for (int i = 0; i < batch.sequenceCount; i++) {
            readContext(batch, i);
            int end = batch.queryStart[i + 1];
            while (logitsIndex < batch.logitsCount && batch.logitsRows[logitsIndex] < end) {
                int token = batch.logitsRows[logitsIndex];
                check(
                        token >= batch.queryStart[i] && (logitsIndex == 0 || token > batch.logitsRows[logitsIndex - 1]),
                        "the rows of logits do not rise");
                choose(batch, batch.positions[token] + 1, result, logitsIndex);
                logitsIndex++;
            }
        }
        check(logitsIndex == batch.logitsCount, "logits are wanted of a token that is not in the batch");
    }

    private void choose(Batch batch, int count, ForwardResult result, int row) {
        if (batch.sampling[row] == Batch.HOST) {
            logits.compute(context, count, result.logits[row]);
            return;
        }
        check(samples, "tokens are wanted of an instance that gives logits alone");
        float[] own = new float[spec.vocabSize()];
        logits.compute(context, count, own);
        result.tokenIds[row] = PlainSampler.choose(own, batch, row);
    }

    @Override
    public void readBlock(int blockId, ByteBuffer target) {
        copies.run(() -> {
            int size = layout.blockSizeTokens();
            content(target).put(slotTokens, blockId * size, size).put(slotPositions, blockId * size, size);
            target.position(target.position() + layout.blockBytes());
        });
    }

    @Override
    public void writeBlock(int blockId, ByteBuffer source) {
        if (source.remaining() != layout.blockBytes()) {
            throw new IllegalArgumentException("a block has " + layout.blockBytes() + " bytes, not " + source);
        }
        copies.run(() -> {
            int size = layout.blockSizeTokens();
            content(source).get(slotTokens, blockId * size, size).get(slotPositions, blockId * size, size);
        });
    }

    // Integers, although they stand for floats: their bits come through whole.
    private static IntBuffer content(ByteBuffer buffer) {
        return buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
    }

    @Override
    public void close() {
        check(copies.close(), "the instance is closed twice");
    }

    private void writeTokens(Batch batch, int sequence) {
        int from = batch.queryStart[sequence];
        int to = batch.queryStart[sequence + 1];
        check(to > from, "a sequence has no tokens");
        for (int t = from; t < to; t++) {
            int position = batch.positions[t];
            check(t == from || position == batch.positions[t - 1] + 1, "positions are not consecutive");
            int slot = slot(batch, sequence, position);
            check(batch.slotMapping[t] == slot, "a slot is not the one that the block table says");
            slotTokens[slot] = batch.tokenIds[t];
            slotPositions[slot] = position;
        }
        check(batch.contextLengths[sequence] == batch.positions[to - 1] + 1, "a context has another length");
    }

    private void readContext(Batch batch, int sequence) {
        int length = batch.contextLengths[sequence];
        if (length > context.length) {
            context = new int[length * 2];
        }
        for (int position = 0; position < length; position++) {
            int slot = slot(batch, sequence, position);
            check(slotPositions[slot] == position, "a block holds other positions than its place in the table");
            context[position] = slotTokens[slot];
        }
    }

    private int slot(Batch batch, int sequence, int position) {
        int entry = batch.blockTableStart[sequence] + position / layout.blockSizeTokens();
        check(entry < batch.blockTableStart[sequence + 1], "a block table is too short");
        return batch.blockTables[entry] * layout.blockSizeTokens() + position % layout.blockSizeTokens();
    }

    private static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}
