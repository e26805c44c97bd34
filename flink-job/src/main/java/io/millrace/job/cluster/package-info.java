/** A cluster on one machine: its distribution, its processes, and what is submitted to it. */
@org.jspecify.annotations.NullMarked
package io.millrace.job.cluster;
