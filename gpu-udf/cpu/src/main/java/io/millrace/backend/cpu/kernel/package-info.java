/** Packed weights, the kernels' contract, and the scalar kernels that define every result's bits. */
@org.jspecify.annotations.NullMarked
package io.millrace.backend.cpu.kernel;
