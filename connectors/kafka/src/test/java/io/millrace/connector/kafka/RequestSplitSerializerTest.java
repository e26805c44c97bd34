package io.millrace.connector.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class RequestSplitSerializerTest {
    private final RequestSplitSerializer serializer = new RequestSplitSerializer();

    @Test
    void splitsAreReadAsTheyWereWritten() throws Exception {
        KafkaPartitionSplit plain = new KafkaPartitionSplit(new TopicPartition("topic", 3), 17, 40);
        RequestSplit known = new RequestSplit(plain, new Uuid(5, -7));
        assertThat(again(plain)).isEqualTo(plain).isNotInstanceOf(RequestSplit.class);
        assertThat(again(known)).isEqualTo(known).isNotEqualTo(new RequestSplit(plain, new Uuid(5, 7)));
        assertThat(again(known).getStoppingOffset()).contains(40L);
    }

    @Test
    void splitsOfAnotherVersionAreRefused() {
        assertThatThrownBy(() -> serializer.deserialize(2, new byte[30]))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("version 2");
    }

    private KafkaPartitionSplit again(KafkaPartitionSplit split) throws IOException {
        return serializer.deserialize(serializer.getVersion(), serializer.serialize(split));
    }
}
