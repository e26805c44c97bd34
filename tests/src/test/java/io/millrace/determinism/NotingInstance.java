package io.millrace.determinism;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.engine.testing.ForwardingInstance;

/**
 * A part of another instance's blocks, for one engine of several that use that instance after each other. Notes the
 * logits of every row with the tokens that they come after, which it reads as the model does: through the block table.
 */
final class NotingInstance extends ForwardingInstance {
    private final int blockCount;
    private final LogitsBook book;
    private final int[] slotTokens;

    NotingInstance(ModelInstance instance, int blockCount, LogitsBook book) {
        super(instance);
        this.blockCount = blockCount;
        this.book = requireNonNull(book, "book");
        if (blockCount > instance.blockCount()) {
            throw new IllegalArgumentException(blockCount + " blocks of " + instance.blockCount());
        }
        slotTokens = new int[blockCount * instance.kvLayout().blockSizeTokens()];
    }

    @Override
    public int blockCount() {
        return blockCount;
    }

    @Override
    public void execute(Batch batch, ForwardResult result) {
        super.execute(batch, result);
        for (int token = 0; token < batch.tokenCount; token++) {
            slotTokens[batch.slotMapping[token]] = batch.tokenIds[token];
        }
        int sequence = 0;
        for (int row = 0; row < batch.logitsCount; row++) {
            int token = batch.logitsRows[row];
            while (batch.queryStart[sequence + 1] <= token) {
                sequence++;
            }
            book.record(tokensUntil(batch, sequence, batch.positions[token]), result.logits[row]);
        }
    }

    private int[] tokensUntil(Batch batch, int sequence, int position) {
        int blockSizeTokens = kvLayout().blockSizeTokens();
        int[] tokens = new int[position + 1];
        for (int i = 0; i <= position; i++) {
            int block = batch.blockTables[batch.blockTableStart[sequence] + i / blockSizeTokens];
            tokens[i] = slotTokens[block * blockSizeTokens + i % blockSizeTokens];
        }
        return tokens;
    }

    @Override
    public void close() {
        // The instance belongs to whoever lends it.
    }
}
