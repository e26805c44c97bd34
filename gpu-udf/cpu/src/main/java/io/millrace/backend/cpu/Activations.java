package io.millrace.backend.cpu;

import io.millrace.model.ModelSpec;

/** What a batch's tokens are at, between one phase of a layer and the next: {@code [row][element]}, allocated once. */
final class Activations {
    final int width;
    final int queryWidth;
    final int keyWidth;
    final int innerWidth;

    /** The residual stream. */
    final float[] residual;

    /** The residual stream normalised. */
    final float[] normed;

    final float[] query;
    final float[] key;
    final float[] value;

    /** What attention gives, before its projection. */
    final float[] attended;

    /** The feed-forward's inner layer. */
    final float[] inner;

    /** A projection's result before the norm that follows it in some models. */
    final float[] projected;

    /** Residual stream and queries of the rows whose logits are wanted. */
    final float[] lastResidual;

    final float[] lastQuery;

    Activations(ModelSpec spec, int rowsMax, int logitsRowsMax) {
        width = spec.embeddingLength();
        queryWidth = spec.headCount() * spec.headDim();
        keyWidth = spec.kvHeadCount() * spec.headDim();
        innerWidth = spec.feedForwardLength();
        residual = rows(rowsMax, width);
        normed = rows(rowsMax, width);
        query = rows(rowsMax, queryWidth);
        key = rows(rowsMax, keyWidth);
        value = rows(rowsMax, keyWidth);
        attended = rows(rowsMax, queryWidth);
        inner = rows(rowsMax, innerWidth);
        projected = rows(spec.postNorms() ? rowsMax : 0, width);
        lastResidual = rows(logitsRowsMax, width);
        lastQuery = rows(logitsRowsMax, queryWidth);
    }

    private static float[] rows(int count, int width) {
        return new float[Math.multiplyExact(count, width)];
    }
}
