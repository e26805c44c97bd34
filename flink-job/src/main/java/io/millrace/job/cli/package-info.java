/** The command line: what {@code ./millrace} starts, and the job embedded in one process. */
@NullMarked
package io.millrace.job.cli;

import org.jspecify.annotations.NullMarked;
