/** A Kafka broker as a process of this machine. */
@org.jspecify.annotations.NullMarked
package io.millrace.connector.kafka.broker;
