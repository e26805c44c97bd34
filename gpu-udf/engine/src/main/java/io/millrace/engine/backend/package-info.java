/** The contract with a backend. */
@org.jspecify.annotations.NullMarked
package io.millrace.engine.backend;
