package io.millrace.connector.kafka;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.records.KafkaRecords;
import io.millrace.proto.TokenChunk;
import java.util.List;
import java.util.Optional;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetIdentifier;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacetProvider;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/** Writes chunks as records. A class of its own: of a lambda, Flink's sink cannot tell the type. */
final class ChunkSerializer implements KafkaRecordSerializationSchema<TokenChunk>, KafkaDatasetFacetProvider {
    private static final long serialVersionUID = 1L;

    private final String topic;

    ChunkSerializer(String topic) {
        this.topic = requireNonNull(topic, "topic");
    }

    // The sink asks for it to find the transactions that an earlier run left open.
    @Override
    public Optional<KafkaDatasetFacet> getKafkaDatasetFacet() {
        return Optional.of(new DefaultKafkaDatasetFacet(DefaultKafkaDatasetIdentifier.ofTopics(List.of(topic))));
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
            TokenChunk chunk, KafkaSinkContext context, @Nullable Long timestamp) {
        return KafkaRecords.encode(chunk, topic);
    }
}
