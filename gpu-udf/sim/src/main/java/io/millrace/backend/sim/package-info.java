/** The {@code sim} backend: no maths, a clock model of how long a device would take, and blocks that show mistakes. */
@org.jspecify.annotations.NullMarked
package io.millrace.backend.sim;
