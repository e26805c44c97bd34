/** Guesses of the tokens that come next, which are verified as extra rows of a batch. */
@org.jspecify.annotations.NullMarked
package io.millrace.engine.speculation;
