package io.millrace.engine.backend;

/** Where a batch's logits, or the tokens chosen from them, are written: row i is {@code batch.logitsRows[i]}'s. */
public final class ForwardResult {
    /** {@code [maxRows][vocabSize]}; rows that were not reserved are empty. */
    public final float[][] logits;

    /**
     * Of rows that the batch does not leave to the {@link Batch#HOST}: the token that {@link PlainSampler#choose}
     * chooses, or its {@link PlainSampler#NO_TOKEN}. Their logits need not be written.
     */
    public final int[] tokenIds;

    private final int vocabSize;

    /** Allocates room for the logits of so many rows. */
    public ForwardResult(int maxRows, int vocabSize) {
        this(maxRows, maxRows, vocabSize);
    }

    /** Allocates room for the logits of some rows; the others' comes when it is reserved. */
    public ForwardResult(int rows, int maxRows, int vocabSize) {
        this.vocabSize = vocabSize;
        logits = new float[maxRows][0];
        tokenIds = new int[maxRows];
        reserve(rows);
    }

    /** Makes sure that there is room for the logits of the first rows. */
    public void reserve(int rows) {
        for (int row = 0; row < rows; row++) {
            reserveRow(row);
        }
    }

    /** Makes sure that there is room for the logits that a batch wants. */
    public void reserve(Batch batch) {
        for (int row = 0; row < batch.logitsCount; row++) {
            if (batch.sampling[row] == Batch.HOST) {
                reserveRow(row);
            }
        }
    }

    private void reserveRow(int row) {
        if (logits[row].length == 0) {
            logits[row] = new float[vocabSize];
        }
    }
}
