package io.millrace.connector.kafka;

import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.proto.TokenChunk;
import java.util.Properties;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaSinkBuilder;
import org.apache.flink.connector.kafka.sink.TransactionNamingStrategy;

/** Chunks into Kafka, keyed by session. */
public final class KafkaChunks {
    private KafkaChunks() {}

    /** The sink of chunks. */
    public static Sink<TokenChunk> sink(KafkaSettings settings, KafkaChunkOptions options) {
        Properties properties = KafkaRequests.flinkProperties(settings.producerProperties(""));
        KafkaSinkBuilder<TokenChunk> builder = KafkaSink.<TokenChunk>builder()
                .setBootstrapServers(settings.bootstrapServers())
                .setRecordSerializer(new ChunkSerializer(settings.tokenTopic()));
        switch (options.delivery()) {
            case AT_LEAST_ONCE -> builder.setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE);
            case EXACTLY_ONCE -> {
                // Flink's own timeout of an hour is longer than brokers allow by default.
                properties.putIfAbsent(
                        "transaction.timeout.ms",
                        Long.toString(options.transactionTimeout().toMillis()));
                builder.setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
                        .setTransactionalIdPrefix(options.transactionalIdPrefix())
                        // A new name for each checkpoint would fill the brokers' memory with names.
                        .setTransactionNamingStrategy(TransactionNamingStrategy.POOLING);
            }
        }
        return builder.setKafkaProducerConfig(properties).build();
    }
}
