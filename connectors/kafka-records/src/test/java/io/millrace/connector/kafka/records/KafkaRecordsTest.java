package io.millrace.connector.kafka.records;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.TokenChunk;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class KafkaRecordsTest {
    private static final AgentRequest REQUEST = AgentRequest.newBuilder()
            .setSessionId("sé")
            .setRequestId("r")
            .setChat(ChatRequest.newBuilder()
                    .addMessages(ChatMessage.newBuilder().setContent("hello")))
            .build();

    @Test
    void recordsAreReadAsTheyWereWritten() {
        TokenChunk chunk = TokenChunk.newBuilder()
                .setSessionId("s")
                .setRequestId("r")
                .addTokenIds(7)
                .build();
        ProducerRecord<byte[], byte[]> written = KafkaRecords.encode(REQUEST, "requests");
        assertThat(written.topic()).isEqualTo("requests");
        assertThat(written.key()).isEqualTo("sé".getBytes(StandardCharsets.UTF_8));
        assertThat(written.headers().lastHeader("millrace-schema-version").value())
                .isEqualTo("1".getBytes(StandardCharsets.US_ASCII));
        assertThat(KafkaRecords.decodeRequest(read(written))).isEqualTo(REQUEST);
        assertThat(KafkaRecords.decodeChunk(read(KafkaRecords.encode(chunk, "tokens"))))
                .isEqualTo(chunk);
    }

    @Test
    void recordWithoutVersionIsOfTheFirst() {
        ConsumerRecord<byte[], byte[]> record = record(REQUEST.toByteArray());
        assertThat(KafkaRecords.decodeRequest(record)).isEqualTo(REQUEST);
    }

    @Test
    void recordsThatAreNoRequestsAreRefusedWithTheReason() {
        byte[] good = REQUEST.toByteArray();
        assertRefused(() -> KafkaRecords.decodeRequest(record(null)), "no value");
        assertRefused(() -> KafkaRecords.decodeRequest(record(new byte[0])), "names no session");
        assertRefused(
                () -> KafkaRecords.decodeRequest(record(Arrays.copyOf(good, good.length - 1))), "no AgentRequest");
        assertRefused(
                () -> KafkaRecords.decodeRequest(record("{\"json\": 1}".getBytes(StandardCharsets.UTF_8))),
                "no AgentRequest");
        assertRefused(
                () -> KafkaRecords.decodeRequest(
                        record(REQUEST.toBuilder().clearRequestId().build().toByteArray())),
                "has no id");
        for (String version : new String[] {"2", "", "one", "1 "}) {
            ConsumerRecord<byte[], byte[]> record = record(good);
            record.headers().add("millrace-schema-version", version.getBytes(StandardCharsets.US_ASCII));
            assertRefused(() -> KafkaRecords.decodeRequest(record), "schema version \"" + version + "\"");
        }
    }

    @Test
    void partitionIsThatOfKafkasOwnPartitioner() {
        // By Kafka's murmur2 with its seed: values of its own test of the hash.
        assertThat(KafkaRecords.partition("21", 1 << 30)).isEqualTo((-973932308 & 0x7fffffff) % (1 << 30));
        assertThat(KafkaRecords.partition("foobar", 1 << 30)).isEqualTo((-790332482 & 0x7fffffff) % (1 << 30));
        assertThat(KafkaRecords.partition("any", 1)).isZero();
    }

    @Test
    void requestsAboveTheLimitAreNamed() {
        KafkaSettings settings = KafkaSettings.of("localhost:1").withMaxRequestBytes(REQUEST.getSerializedSize());
        KafkaRecords.checkSize(REQUEST, settings);
        assertRefused(
                () -> KafkaRecords.checkSize(REQUEST, settings.withMaxRequestBytes(REQUEST.getSerializedSize() - 1)),
                "the limit is " + (REQUEST.getSerializedSize() - 1));
    }

    private static void assertRefused(ThrowingCallable call, String message) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                .hasMessageContaining(message);
    }

    private static ConsumerRecord<byte[], byte[]> record(byte[] value) {
        return new ConsumerRecord<>("topic", 0, 5, new byte[0], value);
    }

    private static ConsumerRecord<byte[], byte[]> read(ProducerRecord<byte[], byte[]> written) {
        ConsumerRecord<byte[], byte[]> record =
                new ConsumerRecord<>(written.topic(), 0, 5, written.key(), written.value());
        written.headers().forEach(record.headers()::add);
        return record;
    }
}
