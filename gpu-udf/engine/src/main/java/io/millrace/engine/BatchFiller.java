package io.millrace.engine;

import io.millrace.engine.backend.Batch;
import java.util.Arrays;

/** Writes a step's plan as the flat arrays that a backend takes. */
final class BatchFiller {
    private BatchFiller() {}

    /**
     * Fills {@code batch}; a row of logits, or a token chosen from it, is asked for where a sequence's last token is
     * computed and more are wanted, and behind each guessed token.
     *
     * @param samples whether the device chooses tokens where it can
     */
    static void fill(StepPlan plan, Batch batch, boolean samples) {
        batch.clear();
        int blocks = 0;
        for (int row = 0; row < plan.rowCount(); row++) {
            Sequence sequence = plan.sequence(row);
            int from = sequence.computedTokens;
            int to = from + plan.tokens(row);
            batch.queryStart[row] = batch.tokenCount;
            batch.contextLengths[row] = to + plan.draftRows(row);
            batch.blockTableStart[row] = blocks;
            blocks = appendBlocks(sequence, batch, blocks);
            int[] tokens = sequence.tokens();
            for (int position = from; position < to; position++) {
                append(batch, sequence, position, tokens[position]);
            }
            if (wantsLogits(sequence, to)) {
                wantLogits(batch, sequence, 0, samples);
                appendDraft(batch, plan, row, to, samples);
            }
        }
        batch.sequenceCount = plan.rowCount();
        batch.queryStart[plan.rowCount()] = batch.tokenCount;
        batch.blockTableStart[plan.rowCount()] = blocks;
    }

    private static void append(Batch batch, Sequence sequence, int position, int tokenId) {
        assert sequence.table().isWritable(position) : "position " + position + " of " + sequence;
        batch.tokenIds[batch.tokenCount] = tokenId;
        batch.positions[batch.tokenCount] = position;
        batch.slotMapping[batch.tokenCount] = sequence.table().slot(position);
        batch.tokenCount++;
    }

    private static void appendDraft(Batch batch, StepPlan plan, int row, int position, boolean samples) {
        Draft draft = plan.draft(row);
        if (draft != null) {
            for (int i = 0; i < draft.rows(); i++) {
                append(batch, draft.sequence(), position + i, draft.tokens()[i]);
                wantLogits(batch, draft.sequence(), i + 1, samples);
            }
        }
    }

    /** Of the token that was appended last, with so many guessed ones behind those so far. */
    private static void wantLogits(Batch batch, Sequence sequence, int guessed, boolean samples) {
        RowSampling.fill(batch, batch.logitsCount, sequence, sequence.outputTokens() + guessed, samples);
        batch.logitsRows[batch.logitsCount] = batch.tokenCount - 1;
        batch.logitsCount++;
    }

    /** Whether a token is sampled once so many tokens are computed. */
    static boolean wantsLogits(Sequence sequence, int computedTokens) {
        return !sequence.isPrefillOnly() && computedTokens == sequence.tokenCount();
    }

    private static int appendBlocks(Sequence sequence, Batch batch, int blocks) {
        int count = sequence.table().blockCount();
        if (blocks + count > batch.blockTables.length) {
            batch.blockTables =
                    Arrays.copyOf(batch.blockTables, Math.max(blocks + count, 2 * batch.blockTables.length));
        }
        sequence.table().copyTo(batch.blockTables, blocks, count);
        return blocks + count;
    }
}
