package io.millrace.connector.kafka;

import static java.util.Objects.requireNonNull;

import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * How far a partition has been read, and of which topic it is. A topic that is deleted and made again has the same name
 * and another id: the offsets of the one say nothing of the other.
 */
final class RequestSplit extends KafkaPartitionSplit {
    private final Uuid topicId;

    RequestSplit(KafkaPartitionSplit split, Uuid topicId) {
        super(
                split.getTopicPartition(),
                split.getStartingOffset(),
                split.getStoppingOffset().orElse(NO_STOPPING_OFFSET));
        this.topicId = requireNonNull(topicId, "topicId");
    }

    Uuid topicId() {
        return topicId;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof RequestSplit that && topicId.equals(that.topicId) && super.equals(other);
    }

    @Override
    public int hashCode() {
        return 31 * super.hashCode() + topicId.hashCode();
    }
}
