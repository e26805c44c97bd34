/** Stand-ins for what operators need, for tests. */
@org.jspecify.annotations.NullMarked
package io.millrace.operators.testing;
