package io.millrace.engine.backend;

/** Where a batch's logits are written: row i holds those of {@code batch.logitsRows[i]}. */
public final class ForwardResult {
    /** {@code [maxRows][vocabSize]}; rows beyond those that were reserved are empty. */
    public final float[][] logits;

    private final int vocabSize;
    private int reservedRows;

    /** Allocates room for the logits of so many rows. */
    public ForwardResult(int maxRows, int vocabSize) {
        this(maxRows, maxRows, vocabSize);
    }

    /** Allocates room for the logits of some rows; the others' comes when it is reserved. */
    public ForwardResult(int rows, int maxRows, int vocabSize) {
        this.vocabSize = vocabSize;
        logits = new float[maxRows][0];
        reserve(rows);
    }

    /** Makes sure that there is room for the logits of so many rows. */
    public void reserve(int rows) {
        for (; reservedRows < rows; reservedRows++) {
            logits[reservedRows] = new float[vocabSize];
        }
    }
}
