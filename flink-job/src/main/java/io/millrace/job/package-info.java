/** The job and its command line. */
@org.jspecify.annotations.NullMarked
package io.millrace.job;
