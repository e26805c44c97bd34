/** The job's graph, its options, and how they are read. */
@org.jspecify.annotations.NullMarked
package io.millrace.job.graph;
