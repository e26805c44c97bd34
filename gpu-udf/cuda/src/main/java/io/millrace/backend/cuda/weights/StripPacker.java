package io.millrace.backend.cuda.weights;

import io.millrace.model.Dequantizer;
import io.millrace.model.Float16;
import io.millrace.model.TensorType;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Packs a matrix's strips of 16 rows. Used by one thread. */
final class StripPacker {
    private static final int TILE = 16;
    private static final int BLOCK = FragmentLayout.SCALE_COLUMNS;
    /** {@code [row][k]}: place of an element in a 16 x 16 tile. */
    private static final int[] PLACES = places();

    private final OperandType operand;
    private float[] row = {};
    private short[] elements = {};
    private byte[] bytes = {};
    private short[] scales = {};
    private final byte[] block = new byte[BLOCK];

    StripPacker(OperandType operand) {
        this.operand = operand;
    }

    private static int[] places() {
        int[] places = new int[TILE * TILE];
        for (int row = 0; row < TILE; row++) {
            for (int k = 0; k < TILE; k++) {
                places[row * TILE + k] = FragmentLayout.fragment(row, k);
            }
        }
        return places;
    }

    /** Packs one strip: its elements and its scales, behind what the little-endian buffers hold. */
    void pack(MatrixPlan plan, int strip, ByteBuffer elementsOut, ByteBuffer scalesOut) {
        int columns = plan.paddedColumns();
        switch (plan.format()) {
            case W16 -> {
                elements = cleared(elements, TILE * columns);
                for (int i = 0; i < TILE; i++) {
                    packWide(plan, strip * TILE + i, i);
                }
                elementsOut.asShortBuffer().put(elements, 0, TILE * columns);
            }
            case W8 -> {
                bytes = cleared(bytes, TILE * columns);
                scales = cleared(scales, TILE * columns / BLOCK);
                for (int i = 0; i < TILE; i++) {
                    packBytes(plan, strip * TILE + i, i);
                }
                elementsOut.duplicate().put(bytes, 0, TILE * columns);
                scalesOut.asShortBuffer().put(scales, 0, TILE * columns / BLOCK);
            }
            case W4 -> {
                bytes = cleared(bytes, TILE * columns / 2);
                scales = cleared(scales, 2 * TILE * columns / BLOCK);
                for (int i = 0; i < TILE; i++) {
                    packNibbles(plan, strip * TILE + i, i);
                }
                elementsOut.duplicate().put(bytes, 0, TILE * columns / 2);
                scalesOut.asShortBuffer().put(scales, 0, 2 * TILE * columns / BLOCK);
            }
        }
        elementsOut.position(elementsOut.position() + plan.format().stripBytes(columns));
        scalesOut.position(scalesOut.position() + plan.format().stripScaleBytes(columns));
    }

    private static short[] cleared(short[] array, int length) {
        if (array.length < length) {
            return new short[length];
        }
        Arrays.fill(array, 0, length, (short) 0);
        return array;
    }

    private static byte[] cleared(byte[] array, int length) {
        if (array.length < length) {
            return new byte[length];
        }
        Arrays.fill(array, 0, length, (byte) 0);
        return array;
    }

    /** Which tensor, and which of its rows, a row of the matrix is; null for zeros. */
    private record Source(WeightSource.Tensor tensor, ByteBuffer row) {}

    private static @org.jspecify.annotations.Nullable Source source(MatrixPlan plan, int matrixRow) {
        long source = plan.rowSources()[matrixRow];
        if (source < 0) {
            return null;
        }
        for (WeightSource.Tensor tensor : plan.tensors()) {
            if (source < tensor.rowCount()) {
                return new Source(tensor, tensor.rows(source, 1));
            }
            source -= tensor.rowCount();
        }
        throw new IllegalStateException(plan.name() + " has no row " + matrixRow);
    }

    private void packWide(MatrixPlan plan, int matrixRow, int stripRow) {
        Source source = source(plan, matrixRow);
        if (source == null) {
            return;
        }
        int columns = plan.columns();
        if (row.length < columns) {
            row = new float[columns];
        }
        Dequantizer.dequantize(source.tensor().type(), source.row(), 0, row, 0, columns);
        for (int k = 0; k < columns; k++) {
            elements[k / TILE * (TILE * TILE) + PLACES[stripRow * TILE + k % TILE]] = operand.bits(row[k]);
        }
    }

    private void packBytes(MatrixPlan plan, int matrixRow, int stripRow) {
        Source source = source(plan, matrixRow);
        if (source == null) {
            return;
        }
        int blockBytes = TensorType.Q8_0.blockBytes();
        for (int tile = 0; tile < plan.columns() / BLOCK; tile++) {
            scales[tile * TILE + stripRow] = source.row().getShort(tile * blockBytes);
            source.row().get(tile * blockBytes + 2, block);
            for (int k = 0; k < BLOCK; k++) {
                int place = PLACES[stripRow * TILE + k % TILE];
                // A lane's 16 bytes: eight of the first 16 columns, eight of the others.
                bytes[tile * (TILE * BLOCK) + place / 8 * 16 + k / TILE * 8 + place % 8] = block[k];
            }
        }
    }

    private void packNibbles(MatrixPlan plan, int matrixRow, int stripRow) {
        Source source = source(plan, matrixRow);
        if (source == null) {
            return;
        }
        for (int tile = 0; tile < plan.columns() / BLOCK; tile++) {
            NibbleBlocks.Scale scale = NibbleBlocks.read(source.tensor().type(), source.row(), tile, block);
            int scaleIndex = 2 * (tile * TILE + stripRow);
            scales[scaleIndex] = Float16.floatToHalf(scale.scale());
            scales[scaleIndex + 1] = Float16.floatToHalf(scale.minimum());
            for (int k = 0; k < TILE; k++) {
                int place = PLACES[stripRow * TILE + k];
                bytes[tile * (TILE * TILE) + place] = (byte) (block[k] | block[k + TILE] << 4);
            }
        }
    }
}
