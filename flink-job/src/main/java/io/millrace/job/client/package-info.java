/** What people ask of a running job and of its savepoints, over Flink's REST interface and State Processor API. */
@org.jspecify.annotations.NullMarked
package io.millrace.job.client;
