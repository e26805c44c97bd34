/** A backend without maths: a model of time. */
@org.jspecify.annotations.NullMarked
package io.millrace.backend.sim;
