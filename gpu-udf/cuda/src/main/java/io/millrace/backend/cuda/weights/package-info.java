/** From a model's tensors to matrices in the order that the kernels read them in. */
@org.jspecify.annotations.NullMarked
package io.millrace.backend.cuda.weights;
