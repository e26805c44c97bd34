/** Decode: generates a turn's tokens and sends them downstream. */
@org.jspecify.annotations.NullMarked
package io.millrace.operators.decode;
