/** The job's requests from Kafka, and its chunks to Kafka. */
@org.jspecify.annotations.NullMarked
package io.millrace.connector.kafka;
