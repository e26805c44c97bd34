/** Reads what a model wrote: its reasoning, its tool calls, and the rest. */
@org.jspecify.annotations.NullMarked
package io.millrace.text.output;
