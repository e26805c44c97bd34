/** Vector API kernels: the only classes that may name {@code jdk.incubator.vector}. */
@org.jspecify.annotations.NullMarked
package io.millrace.backend.cpu.vector;
