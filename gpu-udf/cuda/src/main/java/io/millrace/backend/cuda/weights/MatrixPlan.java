package io.millrace.backend.cuda.weights;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.List;

/**
 * A matrix as it will lie in the device's memory: tensors one below the other, in an order of rows of its own.
 *
 * @param name for messages
 * @param format how it is stored
 * @param tensors what it is made of; their columns are equally many
 * @param rowSources for each row of the matrix, padding included, the row among the tensors' rows, or -1 for zeros
 * @param rows rows without padding at the end
 * @param columns columns without padding
 */
@SuppressWarnings("ArrayRecordComponent") // Read by index, never compared.
record MatrixPlan(
        String name, WeightFormat format, List<WeightSource.Tensor> tensors, int[] rowSources, int rows, int columns) {
    MatrixPlan {
        requireNonNull(name, "name");
        requireNonNull(format, "format");
        tensors = List.copyOf(tensors);
    }

    /** Plans a matrix, in 16 bits where its tensors' formats differ. */
    static MatrixPlan of(String name, List<WeightSource.Tensor> tensors, int[] order) {
        WeightFormat format = WeightFormat.of(tensors.get(0).type());
        long columns = tensors.get(0).rowLength();
        for (WeightSource.Tensor tensor : tensors) {
            if (tensor.rowLength() != columns) {
                throw new ServingException(
                        ErrorCode.MODEL_FILE_INVALID, name + ": rows of " + columns + " and of " + tensor.rowLength());
            }
            if (WeightFormat.of(tensor.type()) != format) {
                format = WeightFormat.W16;
            }
        }
        int[] sources = new int[FragmentLayout.paddedRows(order.length)];
        for (int row = 0; row < sources.length; row++) {
            sources[row] = row < order.length ? order[row] : -1;
        }
        return new MatrixPlan(name, format, tensors, sources, order.length, Math.toIntExact(columns));
    }

    int paddedRows() {
        return rowSources.length;
    }

    int paddedColumns() {
        return FragmentLayout.paddedColumns(columns);
    }

    int strips() {
        return rowSources.length / FragmentLayout.STRIP_ROWS;
    }

    long elementBytes() {
        return (long) strips() * format.stripBytes(paddedColumns());
    }

    long scaleBytes() {
        return (long) strips() * format.stripScaleBytes(paddedColumns());
    }

    /** Whether the device's numbers are not the file's own, but rounded from them. */
    boolean isConverted() {
        return format == WeightFormat.W16
                && tensors.stream().anyMatch(tensor -> tensor.type().isQuantized());
    }
}
