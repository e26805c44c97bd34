package io.millrace.engine.backend;

/** Where a batch's logits are written: row i holds those of {@code batch.logitsRows[i]}. Allocated once. */
public final class ForwardResult {
    /** {@code [maxRows][vocabSize]}. */
    public final float[][] logits;

    /** Allocates room for the logits of so many rows. */
    public ForwardResult(int maxRows, int vocabSize) {
        logits = new float[maxRows][vocabSize];
    }
}
