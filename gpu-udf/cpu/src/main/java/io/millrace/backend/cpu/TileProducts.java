package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.backend.cpu.kernel.PackedMatrix;
import java.util.Arrays;

/** Products of a chunk of input rows with one tile of a matrix. */
final class TileProducts {
    /** Rows of a chunk: enough that unpacking a tile anew for each chunk costs a few percent. */
    static final int ROWS_MAX = 128;

    /** Columns unpacked at once: a panel of them stays in the second-level cache. */
    static final int PANEL_COLUMNS_MAX = 768;

    /**
     * Rows up to which a panel is kept in the first-level cache instead: it is then used too few times to be kept
     * longer.
     */
    private static final int FEW_ROWS = 8;

    /** Columns unpacked at once for few rows. Every group of every format divides it. */
    private static final int COLUMN_STEP = 64;

    private TileProducts() {}

    /** Sets {@code c[row][lane]} for {@code rows} rows of {@code a}, which lie {@code aStride} apart. */
    static void multiply(
            Kernels kernels,
            PackedMatrix matrix,
            int tile,
            float[] a,
            int aStart,
            int aStride,
            int rows,
            float[] c,
            float[] panel) {
        if (rows == 1) {
            kernels.multiplyRow(matrix, tile, a, aStart, c, 0);
            return;
        }
        int lanes = matrix.tileLanes();
        int columns = matrix.columnCount();
        Arrays.fill(c, 0, rows * lanes, 0f);
        if (matrix.layout() == PackedMatrix.Layout.FLOAT) {
            kernels.multiplyPanel(
                    matrix.floats(), matrix.columnStart(tile, 0), lanes, columns, a, aStart, aStride, rows, c);
            return;
        }
        int step = rows <= FEW_ROWS ? COLUMN_STEP : panelColumns(columns);
        for (int from = 0; from < columns; from += step) {
            int count = Math.min(step, columns - from);
            kernels.unpack(matrix, tile, from, count, panel);
            kernels.multiplyPanel(panel, 0, lanes, count, a, aStart + from, aStride, rows, c);
        }
    }

    /** Cuts columns into as few panels of like size as there can be. */
    private static int panelColumns(int columns) {
        int panels = (columns + PANEL_COLUMNS_MAX - 1) / PANEL_COLUMNS_MAX;
        int step = (columns + panels - 1) / panels;
        return (step + COLUMN_STEP - 1) / COLUMN_STEP * COLUMN_STEP;
    }
}
