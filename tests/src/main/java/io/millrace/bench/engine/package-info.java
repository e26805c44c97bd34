/** The engine's suite: prefill, decode, cached turns, and what the job adds. */
@NullMarked
package io.millrace.bench.engine;

import org.jspecify.annotations.NullMarked;
