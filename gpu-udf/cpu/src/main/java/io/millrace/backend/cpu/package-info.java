/** The CPU backend. */
@org.jspecify.annotations.NullMarked
package io.millrace.backend.cpu;
