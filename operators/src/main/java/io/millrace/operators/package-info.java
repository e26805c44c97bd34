/** The job's operators. */
@org.jspecify.annotations.NullMarked
package io.millrace.operators;
