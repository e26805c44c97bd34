package io.millrace.connector.kafka;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.millrace.proto.DeadLetter;
import io.millrace.proto.RecordHeader;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/**
 * Records that are no requests, as they are kept for a person to look at: key, value and headers as they were, and
 * headers that say where the record was and why it is here. A topic for dead letters takes records only so large; what
 * is beyond that is left out, since a letter that cannot be written would hold up every request behind it.
 */
public final class DeadLetters {
    /** Why the record is no request. */
    public static final String REASON_HEADER = "millrace-dead-reason";
    /** The topic it was in. */
    public static final String TOPIC_HEADER = "millrace-dead-topic";
    /** The partition it was in. */
    public static final String PARTITION_HEADER = "millrace-dead-partition";
    /** Its offset there. */
    public static final String OFFSET_HEADER = "millrace-dead-offset";
    /** Its time, in milliseconds since the epoch. */
    public static final String TIMESTAMP_HEADER = "millrace-dead-timestamp";
    /** How many bytes of it were left out; absent if none were. */
    public static final String OMITTED_HEADER = "millrace-dead-omitted-bytes";

    private static final int KEY_BYTES_MAX = 16 << 10;
    private static final int HEADER_BYTES_MAX = 24 << 10;
    private static final int HEADERS_MAX = 100;
    private static final int REASON_CHARS_MAX = 1000;

    private DeadLetters() {}

    /** The dead letter of a record, with at most so many bytes of its value. */
    static DeadLetter of(ConsumerRecord<byte[], byte[]> record, String reason, int valueBytesMax) {
        DeadLetter.Builder letter = DeadLetter.newBuilder()
                .setTopic(record.topic())
                .setPartition(record.partition())
                .setOffset(record.offset())
                .setTimestampMs(record.timestamp())
                .setReason(reason.substring(0, Math.min(reason.length(), REASON_CHARS_MAX)));
        long omitted = 0;
        if (record.key() != null) {
            letter.setKey(head(record.key(), KEY_BYTES_MAX));
            omitted += record.key().length - letter.getKey().size();
        }
        if (record.value() != null) {
            letter.setValue(head(record.value(), valueBytesMax));
            omitted += record.value().length - letter.getValue().size();
        }
        omitted += addHeaders(record.headers(), letter);
        return letter.setOmittedBytes(omitted).build();
    }

    private static long addHeaders(Headers headers, DeadLetter.Builder letter) {
        long omitted = 0;
        int taken = 0;
        for (Header header : headers) {
            int bytes = 2 * header.key().length() + (header.value() == null ? 0 : header.value().length);
            if (taken + bytes > HEADER_BYTES_MAX || letter.getHeadersCount() == HEADERS_MAX) {
                omitted += bytes;
                continue;
            }
            taken += bytes;
            RecordHeader.Builder copy = RecordHeader.newBuilder().setName(header.key());
            if (header.value() != null) {
                copy.setValue(UnsafeByteOperations.unsafeWrap(header.value()));
            }
            letter.addHeaders(copy);
        }
        return omitted;
    }

    // A consumer's arrays belong to whoever got the record: nobody writes to them any more.
    private static ByteString head(byte[] bytes, int limit) {
        return UnsafeByteOperations.unsafeWrap(bytes, 0, Math.min(bytes.length, limit));
    }

    /** The record of a dead letter. */
    static ProducerRecord<byte[], byte[]> encode(DeadLetter letter, String topic) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                topic,
                letter.hasKey() ? letter.getKey().toByteArray() : null,
                letter.hasValue() ? letter.getValue().toByteArray() : null);
        for (RecordHeader header : letter.getHeadersList()) {
            record.headers()
                    .add(header.getName(), header.hasValue() ? header.getValue().toByteArray() : null);
        }
        add(record, REASON_HEADER, letter.getReason());
        add(record, TOPIC_HEADER, letter.getTopic());
        add(record, PARTITION_HEADER, Integer.toString(letter.getPartition()));
        add(record, OFFSET_HEADER, Long.toString(letter.getOffset()));
        add(record, TIMESTAMP_HEADER, Long.toString(letter.getTimestampMs()));
        if (letter.getOmittedBytes() > 0) {
            add(record, OMITTED_HEADER, Long.toString(letter.getOmittedBytes()));
        }
        return record;
    }

    private static void add(ProducerRecord<byte[], byte[]> record, String name, String value) {
        record.headers().add(name, value.getBytes(StandardCharsets.UTF_8));
    }
}
