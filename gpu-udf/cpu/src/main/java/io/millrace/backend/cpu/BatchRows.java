package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Batch;
import org.jspecify.annotations.Nullable;

/** Which of a batch's tokens the rows of an activation array are, and which sequences those belong to. */
final class BatchRows {
    private final int[] tokenIndexes;
    private final int[] sequenceOfToken;
    private @Nullable Batch batch;
    private int count;

    BatchRows(int rowsMax) {
        tokenIndexes = new int[rowsMax];
        sequenceOfToken = new int[rowsMax];
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
    }

    /** Row i becomes the token whose logits are wanted in row i of the result. */
    void selectLogitsRows() {
        Batch current = batch();
        count = current.logitsCount;
        System.arraycopy(current.logitsRows, 0, tokenIndexes, 0, count);
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
