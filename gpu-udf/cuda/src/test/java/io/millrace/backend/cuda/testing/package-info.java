/** A device that is a processor: the kernels' source, compiled for the host. */
@org.jspecify.annotations.NullMarked
package io.millrace.backend.cuda.testing;
