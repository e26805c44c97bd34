package io.millrace.backend.cpu.kernel;

/**
 * Where the operands of {@link Kernels#accumulate} lie. Mutable, one for each thread, so that the innermost calls of
 * attention allocate nothing.
 */
public final class AttentionOperands {
    /** Keys {@code [dim][token]} or values {@code [token][dim]}: vectors of width follow each other. */
    public float[] b = {};

    public int bStart;
    public int bStride;

    /** Queries or weights: one row for each query head. */
    public float[] a = {};

    public int aStart;
    public int aStride;

    /** Scores or outputs. */
    public float[] c = {};

    public int cStart;
    public int cStride;

    /** Sets the moving operand. */
    public void setB(float[] array, int start, int stride) {
        b = array;
        bStart = start;
        bStride = stride;
    }

    /** Sets the operand that is broadcast. */
    public void setA(float[] array, int start, int stride) {
        a = array;
        aStart = start;
        aStride = stride;
    }

    /** Sets where the chains are kept. */
    public void setC(float[] array, int start, int stride) {
        c = array;
        cStart = start;
        cStride = stride;
    }
}
