package io.millrace.backend.cuda.weights;

/**
 * Where an element lies in operands that are stored in the order of the fragments of one {@code mma.m16n8k16}: the twin
 * of {@code layout.cuh}, which has the diagram.
 */
public final class FragmentLayout {
    /** Rows of a strip of weights. */
    public static final int STRIP_ROWS = 16;
    /** Columns are padded to a multiple of this. */
    public static final int UNIT_COLUMNS = 64;
    /** Columns that share a scale. */
    public static final int SCALE_COLUMNS = 32;
    /** Buffers of activations hold a multiple of this many rows. */
    public static final int ROW_PADDING = 128;

    private FragmentLayout() {}

    /** Rows of a matrix with those that fill its last strip. */
    public static int paddedRows(int rows) {
        return roundUp(rows, STRIP_ROWS);
    }

    /** Columns of a matrix with those that fill its last unit. */
    public static int paddedColumns(int columns) {
        return roundUp(columns, UNIT_COLUMNS);
    }

    /** The next multiple of a unit. */
    public static int roundUp(int count, int unit) {
        return Math.multiplyExact((count + unit - 1) / unit, unit);
    }

    /** Lane * 8 + place of the element (row, k) of a 16 x 16 tile of weights. */
    public static int fragment(int row, int k) {
        int lane = row % 8 * 4 + k % 8 / 2;
        return lane * 8 + k % 2 + row / 8 * 2 + k / 8 * 4;
    }

    /** Index of the element (token, dim) among the keys of one head of one layer of a block. */
    public static int keyIndex(int token, int dim, int headDim) {
        int lane = token % 8 * 4 + dim % 8 / 2;
        int place = dim % 2 + dim % 16 / 8 * 2 + token % 16 / 8 * 4;
        return (token / 16 * (headDim / 16) + dim / 16) * 256 + lane * 8 + place;
    }

    /** Index of the element (token, dim) among the values of one head of one layer of a block. */
    public static int valueIndex(int token, int dim, int headDim) {
        int lane = dim % 8 * 4 + token % 8 / 2;
        int place = token % 2 + token % 16 / 8 * 2 + token % 32 / 16 * 4;
        return (token / 32 * (headDim / 8) + dim / 8) * 256 + lane * 8 + place;
    }
}
