package io.millrace.job.graph;

import io.millrace.connector.kafka.KafkaChunkOptions;
import io.millrace.connector.kafka.KafkaRequestOptions;
import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.connector.kafka.records.KafkaTopics;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.time.Duration;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;

/** Reads what a configuration says of Kafka. */
public final class KafkaConfiguration {
    private static final Duration TOPICS_LIMIT = Duration.ofSeconds(60);

    private KafkaConfiguration() {}

    /**
     * Where the records are, and how clients reach them.
     *
     * @throws ServingException {@code INVALID_REQUEST} naming the option that is missing or wrong
     */
    public static KafkaSettings settings(Configuration configuration) {
        String servers = configuration
                .getOptional(KafkaOptions.BOOTSTRAP_SERVERS)
                .orElseThrow(() -> new ServingException(
                        ErrorCode.INVALID_REQUEST,
                        "it is not said where Kafka is: set " + KafkaOptions.BOOTSTRAP_SERVERS.key()));
        long maxRequestBytes = configuration.get(KafkaOptions.MAX_REQUEST_SIZE).getBytes();
        return KafkaSettings.of(servers)
                .withTopics(
                        configuration.get(KafkaOptions.REQUEST_TOPIC),
                        configuration.get(KafkaOptions.TOKEN_TOPIC),
                        configuration.get(KafkaOptions.DEAD_LETTER_TOPIC))
                .withMaxRequestBytes((int) Math.min(Integer.MAX_VALUE, maxRequestBytes))
                .withProperties(
                        configuration.get(KafkaOptions.PROPERTIES),
                        configuration.get(KafkaOptions.CONSUMER_PROPERTIES),
                        configuration.get(KafkaOptions.PRODUCER_PROPERTIES));
    }

    /** How topics are made. */
    public static KafkaTopics.Layout topicLayout(Configuration configuration) {
        return new KafkaTopics.Layout(
                configuration.get(KafkaOptions.TOPIC_PARTITIONS),
                configuration.get(KafkaOptions.TOPIC_REPLICATION),
                TOPICS_LIMIT);
    }

    /** How the job reads requests. */
    static KafkaRequestOptions requestOptions(Configuration configuration) {
        return new KafkaRequestOptions(
                configuration.get(KafkaOptions.GROUP_ID),
                configuration.get(KafkaOptions.START),
                configuration.get(KafkaOptions.DISCOVERY_INTERVAL));
    }

    /**
     * How the job writes chunks.
     *
     * @throws ServingException {@code INVALID_REQUEST} if transactions would end before their checkpoints
     */
    static KafkaChunkOptions chunkOptions(Configuration configuration) {
        KafkaChunkOptions options = new KafkaChunkOptions(
                configuration.get(KafkaOptions.DELIVERY),
                configuration.get(KafkaOptions.TRANSACTIONAL_ID_PREFIX),
                configuration.get(KafkaOptions.TRANSACTION_TIMEOUT));
        Duration interval =
                MillraceJob.flinkConfiguration(configuration).get(CheckpointingOptions.CHECKPOINTING_INTERVAL);
        if (options.delivery() == KafkaChunkOptions.Delivery.EXACTLY_ONCE
                && options.transactionTimeout().compareTo(interval.multipliedBy(2)) < 0) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    KafkaOptions.TRANSACTION_TIMEOUT.key() + " of "
                            + options.transactionTimeout().toMillis()
                            + " ms is less than two checkpoint intervals of " + interval.toMillis()
                            + " ms: transactions would be given up before they are committed");
        }
        return options;
    }
}
