package io.millrace.backend.cpu;

/**
 * How a batch's rows are cut into chunks that are multiplied together. Cutting decides speed only: every output is the
 * same chain of operations whatever rows it is computed with.
 */
final class RowChunks {
    /** Rows that the kernels take at once where there are many. */
    private static final int STEP = 4;

    private int rowCount;
    private int chunkRows = 1;

    /** Cuts so many rows. */
    void reset(int rows) {
        rowCount = rows;
        int chunks = Math.max(1, (rows + TileProducts.ROWS_MAX - 1) / TileProducts.ROWS_MAX);
        int even = (rows + chunks - 1) / chunks;
        chunkRows = chunks == 1 ? Math.max(1, rows) : (even + STEP - 1) / STEP * STEP;
    }

    /** Number of chunks. */
    int count() {
        return (rowCount + chunkRows - 1) / chunkRows;
    }

    /** First row of a chunk. */
    int start(int chunk) {
        return chunk * chunkRows;
    }

    /** Rows of a chunk. */
    int rows(int chunk) {
        return Math.min(chunkRows, rowCount - start(chunk));
    }
}
