/** The CUDA backend: models on an NVIDIA GPU. */
@org.jspecify.annotations.NullMarked
package io.millrace.backend.cuda;
