package io.millrace.connector.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.proto.DeadLetter;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class DeadLettersTest {
    @Test
    void recordsAreKeptAsTheyWere() {
        ConsumerRecord<byte[], byte[]> record = record(new byte[] {1}, new byte[] {2, 3});
        record.headers().add("own", new byte[] {4}).add("own", null);
        ProducerRecord<byte[], byte[]> written = DeadLetters.encode(DeadLetters.of(record, "why", 100), "dead");
        assertThat(written.key()).containsExactly(1);
        assertThat(written.value()).containsExactly(2, 3);
        assertThat(written.headers().headers("own")).hasSize(2);
        assertThat(header(written, DeadLetters.REASON_HEADER)).isEqualTo("why");
        assertThat(header(written, DeadLetters.TOPIC_HEADER)).isEqualTo("topic");
        assertThat(header(written, DeadLetters.PARTITION_HEADER)).isEqualTo("2");
        assertThat(header(written, DeadLetters.OFFSET_HEADER)).isEqualTo("77");
        assertThat(written.headers().lastHeader(DeadLetters.OMITTED_HEADER)).isNull();
    }

    @Test
    void nothingIsAnotherThingThanEmpty() {
        DeadLetter none = DeadLetters.of(record(null, null), "why", 100);
        DeadLetter empty = DeadLetters.of(record(new byte[0], new byte[0]), "why", 100);
        assertThat(DeadLetters.encode(none, "dead").key()).isNull();
        assertThat(DeadLetters.encode(none, "dead").value()).isNull();
        assertThat(DeadLetters.encode(empty, "dead").key()).isEmpty();
        assertThat(DeadLetters.encode(empty, "dead").value()).isEmpty();
    }

    @Test
    void whatNoRecordCanHoldIsLeftOut() {
        ConsumerRecord<byte[], byte[]> record = record(new byte[20_000], new byte[500]);
        for (int i = 0; i < 200; i++) {
            record.headers().add("header" + i, new byte[1000]);
        }
        DeadLetter letter = DeadLetters.of(record, "x".repeat(5000), 100);
        assertThat(letter.getKey().size()).isEqualTo(16_384);
        assertThat(letter.getValue().size()).isEqualTo(100);
        assertThat(letter.getReason()).hasSize(1000);
        ProducerRecord<byte[], byte[]> written = DeadLetters.encode(letter, "dead");
        int bytes = written.key().length + written.value().length;
        for (org.apache.kafka.common.header.Header header : written.headers()) {
            bytes += header.key().length() + header.value().length;
        }
        // All but the value is within what records have beside their values.
        assertThat(bytes - 100).isLessThan(64 << 10);
        assertThat(Long.parseLong(header(written, DeadLetters.OMITTED_HEADER))).isGreaterThan(170_000);
    }

    private static ConsumerRecord<byte[], byte[]> record(byte[] key, byte[] value) {
        return new ConsumerRecord<>(
                "topic",
                2,
                77,
                5L,
                TimestampType.CREATE_TIME,
                0,
                0,
                key,
                value,
                new org.apache.kafka.common.header.internals.RecordHeaders(),
                java.util.Optional.empty());
    }

    private static String header(ProducerRecord<byte[], byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }
}
