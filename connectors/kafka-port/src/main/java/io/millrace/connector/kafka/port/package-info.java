/** A port to a job over Kafka. */
@org.jspecify.annotations.NullMarked
package io.millrace.connector.kafka.port;
