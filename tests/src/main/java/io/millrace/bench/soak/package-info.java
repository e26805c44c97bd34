/** A job that is disturbed for many minutes, and what it uses meanwhile. */
@NullMarked
package io.millrace.bench.soak;

import org.jspecify.annotations.NullMarked;
