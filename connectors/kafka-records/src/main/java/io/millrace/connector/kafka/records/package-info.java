/** Requests and chunks as Kafka records, and the settings that jobs and gateways share. */
@org.jspecify.annotations.NullMarked
package io.millrace.connector.kafka.records;
