/** Models on disk, as a Triton-style repository. */
@org.jspecify.annotations.NullMarked
package io.millrace.engine.repository;
