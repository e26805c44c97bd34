package io.millrace.backend.cuda.weights;

import io.millrace.model.ModelSpec;
import io.millrace.model.ModelSpec.Rope;
import io.millrace.model.ModelSpec.RopeStyle;

/** In which order the kernels want the rows of matrices. */
public final class RowOrders {
    private static final int HALF_STRIP = FragmentLayout.STRIP_ROWS / 2;

    private RowOrders() {}

    /** Rows as they come. */
    static int[] plain(int rows) {
        int[] order = new int[rows];
        for (int row = 0; row < rows; row++) {
            order[row] = row;
        }
        return order;
    }

    /**
     * Gate and up by eights, of two matrices of {@code rows} rows: rows 16 s to 16 s + 7 are the gate's 8 s to 8 s + 7,
     * the eight behind them are up's. Both end with rows of zeros where {@code rows} is no multiple of eight.
     */
    static int[] gated(int rows) {
        int strips = (rows + HALF_STRIP - 1) / HALF_STRIP;
        int[] order = new int[strips * FragmentLayout.STRIP_ROWS];
        for (int i = 0; i < order.length; i++) {
            int within = i % FragmentLayout.STRIP_ROWS;
            int row = i / FragmentLayout.STRIP_ROWS * HALF_STRIP + within % HALF_STRIP;
            order[i] = row >= rows ? -1 : within < HALF_STRIP ? row : rows + row;
        }
        return order;
    }

    /** Queries, keys and values of all heads: those of queries and keys by pairs, those of values as they come. */
    static int[] queryKeyValue(ModelSpec spec) {
        int headDim = spec.headDim();
        int pairedRows = (spec.headCount() + spec.kvHeadCount()) * headDim;
        int[] order = new int[pairedRows + spec.kvHeadCount() * headDim];
        int[] head = head(spec.rope(), headDim);
        for (int row = 0; row < order.length; row++) {
            order[row] = row < pairedRows ? row - row % headDim + head[row % headDim] : row;
        }
        return order;
    }

    /** The dims of a head in the order of its rows: pair p in rows 16 (p / 8) + p % 8 and eight further. */
    public static int[] head(Rope rope, int headDim) {
        int[] order = new int[headDim];
        int rotated = rope.dimensions() / 2;
        boolean halves = rope.style() == RopeStyle.HALVES;
        for (int pair = 0; pair < headDim / 2; pair++) {
            int row = pair / HALF_STRIP * FragmentLayout.STRIP_ROWS + pair % HALF_STRIP;
            boolean apart = halves && pair < rotated;
            order[row] = apart ? pair : 2 * pair;
            order[row + HALF_STRIP] = apart ? pair + rotated : 2 * pair + 1;
        }
        return order;
    }
}
