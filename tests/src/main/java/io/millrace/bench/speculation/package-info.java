/** What guesses and constraints do to the speed of decoding. */
@NullMarked
package io.millrace.bench.speculation;

import org.jspecify.annotations.NullMarked;
