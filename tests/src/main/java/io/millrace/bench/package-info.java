/** Benchmarks: suites that measure Millrace, beside others where there are some, and how their figures are written. */
@NullMarked
package io.millrace.bench;

import org.jspecify.annotations.NullMarked;
