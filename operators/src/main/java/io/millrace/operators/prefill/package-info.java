/** Prefill: brings a prompt's KV blocks into the engine before Decode takes the turn. */
@org.jspecify.annotations.NullMarked
package io.millrace.operators.prefill;
