package io.millrace.connector.kafka;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.records.KafkaRecords;
import io.millrace.proto.TokenChunk;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/** Writes chunks as records. A class of its own: of a lambda, Flink's sink cannot tell the type. */
final class ChunkSerializer implements KafkaRecordSerializationSchema<TokenChunk> {
    private static final long serialVersionUID = 1L;

    private final String topic;

    ChunkSerializer(String topic) {
        this.topic = requireNonNull(topic, "topic");
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
            TokenChunk chunk, KafkaSinkContext context, @Nullable Long timestamp) {
        return KafkaRecords.encode(chunk, topic);
    }
}
