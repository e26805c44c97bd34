/** What the job's operators share: the way to the engine and the model's text, and how turns are read. */
@org.jspecify.annotations.NullMarked
package io.millrace.operators;
