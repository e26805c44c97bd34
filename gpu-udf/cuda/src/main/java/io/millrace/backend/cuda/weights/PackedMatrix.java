package io.millrace.backend.cuda.weights;

/**
 * A matrix in the device's memory.
 *
 * @param format how it is stored
 * @param elements address of its elements
 * @param scales address of its scales; 0 where it has none
 * @param rows rows, without padding at the end
 * @param paddedRows rows, a multiple of 16
 * @param columns columns, without padding
 * @param paddedColumns columns, a multiple of 64
 */
public record PackedMatrix(
        WeightFormat format, long elements, long scales, int rows, int paddedRows, int columns, int paddedColumns) {}
