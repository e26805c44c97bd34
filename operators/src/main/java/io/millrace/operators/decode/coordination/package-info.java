/** What the command line asks of a running Decode: its coordinator, the subtasks' side, and a client. */
@org.jspecify.annotations.NullMarked
package io.millrace.operators.decode.coordination;
