package io.millrace.backend.cpu.kernel;

import static java.util.Objects.requireNonNull;

/**
 * A weight matrix repacked for kernels whose vector lanes are output rows.
 *
 * <p>Rows are cut into tiles of {@code tileLanes}; inside a tile the columns follow each other, and a column's lanes
 * are neighbours, so that a kernel reads one stream and never sums across lanes:
 *
 * <pre>
 *   FLOAT    floats[tile][column][lane]
 *   BYTE     quants[tile][column][lane]                                       signed
 *   NIBBLE   quants[tile][block of 64 columns][i][lane]     column i of the block in the low four bits of byte i,
 *                                                           column i + 32 in the high ones; where the last block has 32
 *                                                           columns only, i and i + 16
 *   scales[tile][column / groupColumns][scale lanes | minimum lanes]          minimums where hasMinimum
 * </pre>
 *
 * <p>Element (row, column) is {@code floats}, or {@code fma(quant, scale, minimum)}, or {@code quant * scale}: one
 * rounding, and the same float that the file's format defines, because quant times scale is exact in each of them. Rows
 * that fill up the last tile are zero.
 */
public final class PackedMatrix {
    /** How a matrix's elements are kept. */
    public enum Layout {
        /** One float an element. */
        FLOAT,
        /** One signed byte an element, with scales. */
        BYTE,
        /** Four bits an element, with scales and minimums. */
        NIBBLE
    }

    private static final byte[] NO_BYTES = {};
    private static final float[] NO_FLOATS = {};

    final Layout layout;
    final int rowCount;
    final int columnCount;
    final int tileLanes;
    final int groupColumns;
    final boolean hasMinimum;
    final float[] floats;
    final byte[] quants;
    final float[] scales;

    private PackedMatrix(
            Layout layout,
            int rowCount,
            int columnCount,
            int tileLanes,
            int groupColumns,
            boolean hasMinimum,
            float[] floats,
            byte[] quants,
            float[] scales) {
        this.layout = requireNonNull(layout, "layout");
        this.rowCount = rowCount;
        this.columnCount = columnCount;
        this.tileLanes = tileLanes;
        this.groupColumns = groupColumns;
        this.hasMinimum = hasMinimum;
        this.floats = floats;
        this.quants = quants;
        this.scales = scales;
    }

    /** Allocates a zero matrix of floats. */
    static PackedMatrix ofFloats(int rowCount, int columnCount, int tileLanes) {
        long elements = paddedRows(rowCount, tileLanes) * columnCount;
        return new PackedMatrix(
                Layout.FLOAT,
                rowCount,
                columnCount,
                tileLanes,
                columnCount,
                false,
                new float[arrayLength(elements, rowCount, columnCount)],
                NO_BYTES,
                NO_FLOATS);
    }

    /** Allocates a zero matrix of quants in groups of {@code groupColumns}, which divides {@code columnCount}. */
    static PackedMatrix ofQuants(
            Layout layout, int rowCount, int columnCount, int tileLanes, int groupColumns, boolean hasMinimum) {
        long padded = paddedRows(rowCount, tileLanes);
        long bytes = padded * columnCount / (layout == Layout.NIBBLE ? 2 : 1);
        long scales = padded * (columnCount / groupColumns) * (hasMinimum ? 2 : 1);
        return new PackedMatrix(
                layout,
                rowCount,
                columnCount,
                tileLanes,
                groupColumns,
                hasMinimum,
                NO_FLOATS,
                new byte[arrayLength(bytes, rowCount, columnCount)],
                new float[arrayLength(scales, rowCount, columnCount)]);
    }

    /** How the elements are kept. */
    public Layout layout() {
        return layout;
    }

    /** Output elements of a product with this matrix. */
    public int rowCount() {
        return rowCount;
    }

    /** Input elements of a product with this matrix. */
    public int columnCount() {
        return columnCount;
    }

    /** Rows of a tile. */
    public int tileLanes() {
        return tileLanes;
    }

    /** Columns that share a scale. */
    public int groupColumns() {
        return groupColumns;
    }

    /** Whether scales are followed by minimums. */
    public boolean hasMinimum() {
        return hasMinimum;
    }

    /** The elements of a {@code FLOAT} matrix. */
    public float[] floats() {
        return floats;
    }

    /** The quants of the other layouts. */
    public byte[] quants() {
        return quants;
    }

    /** The scales and minimums of the other layouts. */
    public float[] scales() {
        return scales;
    }

    /** Number of tiles, the last of which may have rows of zeros. */
    public int tileCount() {
        return (rowCount + tileLanes - 1) / tileLanes;
    }

    /** Rows of a tile that are the matrix's own. */
    public int tileRows(int tile) {
        return Math.min(tileLanes, rowCount - tile * tileLanes);
    }

    /** Columns whose {@code NIBBLE} weights lie together. */
    public static final int NIBBLE_BLOCK = 64;

    /** Columns that have the low four bits of the bytes of the block that starts at a column; as many have the high. */
    public int nibbleRun(int blockColumn) {
        return Math.min(NIBBLE_BLOCK, columnCount - blockColumn) / 2;
    }

    /** Where a tile's column starts in {@code floats} or {@code quants}; for {@code NIBBLE} a block's first. */
    public int columnStart(int tile, int column) {
        int columns = tile * columnCount + column;
        return (layout == Layout.NIBBLE ? columns / 2 : columns) * tileLanes;
    }

    /** Lanes from one group's scales to the next one's. */
    public int groupStride() {
        return hasMinimum ? 2 * tileLanes : tileLanes;
    }

    /** Where the scales of a tile's column start in {@code scales}. */
    public int scaleStart(int tile, int column) {
        return (tile * (columnCount / groupColumns) + column / groupColumns) * groupStride();
    }

    /** Bytes of memory that the elements take. */
    public long byteCount() {
        return 4L * floats.length + quants.length + 4L * scales.length;
    }

    private static long paddedRows(int rowCount, int tileLanes) {
        return ((long) rowCount + tileLanes - 1) / tileLanes * tileLanes;
    }

    private static int arrayLength(long elements, int rowCount, int columnCount) {
        if (elements > Integer.MAX_VALUE - 16) {
            throw new IllegalArgumentException(
                    "a matrix of " + rowCount + " x " + columnCount + " is too large for the cpu backend");
        }
        return (int) elements;
    }
}
