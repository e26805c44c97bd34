package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Batch;
import org.jspecify.annotations.Nullable;

/** Which of a batch's tokens the rows of an activation array are, and which sequences those belong to. */
final class BatchRows {
    /** Rows of one sequence that attention takes together, so that a block of keys is read once for all of them. */
    static final int GROUP_ROWS = 8;

    private final int[] tokenIndexes;
    private final int[] sequenceOfToken;
    private final int[] groupStarts;
    private @Nullable Batch batch;
    private int count;
    private int groupCount;

    BatchRows(int rowsMax) {
        tokenIndexes = new int[rowsMax];
        sequenceOfToken = new int[rowsMax];
        groupStarts = new int[rowsMax + 1];
    }

    /** Row i becomes token i, for all tokens. */
    void selectAll(Batch next) {
        batch = next;
        count = next.tokenCount;
        for (int i = 0; i < count; i++) {
            tokenIndexes[i] = i;
        }
        for (int sequence = 0; sequence < next.sequenceCount; sequence++) {
            for (int i = next.queryStart[sequence]; i < next.queryStart[sequence + 1]; i++) {
                sequenceOfToken[i] = sequence;
            }
        }
        group();
    }

    /** Row i becomes the token whose logits are wanted in row i of the result. */
    void selectLogitsRows() {
        Batch current = batch();
        count = current.logitsCount;
        System.arraycopy(current.logitsRows, 0, tokenIndexes, 0, count);
        group();
    }

    /** Cuts the rows into runs of at most {@link #GROUP_ROWS} of consecutive tokens of one sequence. */
    private void group() {
        groupCount = 0;
        for (int row = 0; row < count; row++) {
            boolean full = groupCount > 0 && row - groupStarts[groupCount - 1] == GROUP_ROWS;
            if (row == 0 || full || sequence(row) != sequence(row - 1) || tokenIndex(row) != tokenIndex(row - 1) + 1) {
                groupStarts[groupCount++] = row;
            }
        }
        groupStarts[groupCount] = count;
    }

    /** Number of runs of rows of one sequence each. */
    int groupCount() {
        return groupCount;
    }

    /** First row of a run; that of the run after the last is the number of rows. */
    int groupStart(int group) {
        return groupStarts[group];
    }

    /** Whether every token's logits are wanted, in the tokens' order. */
    boolean isAllLogitsRows() {
        Batch current = batch();
        boolean all = current.logitsCount == current.tokenCount;
        for (int i = 0; all && i < current.tokenCount; i++) {
            all = current.logitsRows[i] == i;
        }
        return all;
    }

    /** Whether each sequence has one token, so that no row attends to another row's key. */
    boolean isOneTokenEach() {
        return batch().sequenceCount == batch().tokenCount;
    }

    Batch batch() {
        return requireNonNull(batch, "batch");
    }

    int count() {
        return count;
    }

    int tokenIndex(int row) {
        return tokenIndexes[row];
    }

    int sequence(int row) {
        return sequenceOfToken[tokenIndexes[row]];
    }
}
