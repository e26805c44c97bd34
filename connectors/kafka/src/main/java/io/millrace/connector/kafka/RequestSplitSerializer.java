package io.millrace.connector.kafka;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitSerializer;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.kafka.common.Uuid;

/**
 * Writes a split as the topic's id (16 bytes, zero where it is not known), the version of the connector's own
 * serializer (4 bytes), and what that writes.
 */
final class RequestSplitSerializer implements SimpleVersionedSerializer<KafkaPartitionSplit> {
    private static final int VERSION = 1;
    private static final int HEAD_BYTES = 20;

    private final KafkaPartitionSplitSerializer splits = new KafkaPartitionSplitSerializer();

    @Override
    public int getVersion() {
        return VERSION;
    }

    @Override
    public byte[] serialize(KafkaPartitionSplit split) throws IOException {
        Uuid topicId = split instanceof RequestSplit request ? request.topicId() : Uuid.ZERO_UUID;
        byte[] rest = splits.serialize(split);
        return ByteBuffer.allocate(HEAD_BYTES + rest.length)
                .putLong(topicId.getMostSignificantBits())
                .putLong(topicId.getLeastSignificantBits())
                .putInt(splits.getVersion())
                .put(rest)
                .array();
    }

    @Override
    public KafkaPartitionSplit deserialize(int version, byte[] bytes) throws IOException {
        if (version != VERSION || bytes.length < HEAD_BYTES) {
            throw new IOException("a split of version " + version + " and " + bytes.length
                    + " bytes is not known here; this is version " + VERSION);
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        Uuid topicId = new Uuid(buffer.getLong(), buffer.getLong());
        int splitVersion = buffer.getInt();
        byte[] rest = new byte[buffer.remaining()];
        buffer.get(rest);
        KafkaPartitionSplit split = splits.deserialize(splitVersion, rest);
        return topicId.equals(Uuid.ZERO_UUID) ? split : new RequestSplit(split, topicId);
    }
}
